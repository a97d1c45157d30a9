#!/bin/sh
# Prepares one server, as root. Run it again after an upgrade of Latchkey, or to change what may be given.
#
#   CONNECTOR_KEY='ssh-ed25519 …' CA_KEY='ssh-ed25519 …' GIVE_GROUPS='deploy docker' GIVE_SUDO=yes sh 2_server.sh
#
#   CONNECTOR_KEY  the public half of the connector's key; may be left out when this runs again
#   CA_KEY         the public half of the CA that signs certificates; may be left out when this runs again
#   GIVE_GROUPS    groups that may be given here, and no others; a group like docker is as good as root
#   GIVE_SUDO      yes: being root may be given too, by the group latchkey-sudo; no: it may not
#   CONNECTOR      the connector's account (latchkey); it is made here, and serves nothing else
#
# What it makes: the connector's account, which may run latchkey-run as root and nothing else; latchkey-run, which runs
# only the programs listed in /etc/latchkey/programs; rules of sshd for the logins lk_… and for the connector, and for
# nobody else.
set -eu
umask 022

connector=${CONNECTOR:-latchkey}
here=/etc/latchkey
case $connector in
  '' | *[!a-z0-9_-]*) printf '%s\n' "$connector is no name for the connector's account." >&2; exit 1 ;;
esac
[ "$(id -u)" = 0 ] || { printf '%s\n' 'This must run as root.' >&2; exit 1; }
for program in sudo visudo sshd ssh-keygen useradd gpasswd flock awk base64 sha256sum setpriv timeout; do
  command -v "$program" >/dev/null || { printf '%s\n' "$program is not installed here." >&2; exit 1; }
done

mkdir -p "$here/certificates" "$here/principals" "$here/members" /home/latchkey/.kept
chmod 0755 "$here" "$here/principals"
chmod 0700 "$here/certificates" "$here/members"
chmod 0711 /home/latchkey
chmod 0700 /home/latchkey/.kept
[ -z "${CONNECTOR_KEY:-}" ] || printf '%s\n' "$CONNECTOR_KEY" >"$here/connector_keys"
[ -z "${CA_KEY:-}" ] || printf '%s\n' "$CA_KEY" >"$here/user_ca.pub"
[ -s "$here/connector_keys" ] || { printf '%s\n' 'CONNECTOR_KEY is missing.' >&2; exit 1; }
[ -s "$here/user_ca.pub" ] || { printf '%s\n' 'CA_KEY is missing.' >&2; exit 1; }
ssh-keygen -l -f "$here/connector_keys" >/dev/null
ssh-keygen -l -f "$here/user_ca.pub" >/dev/null
# What may be given. Names of groups that are not there yet count from when they are.
[ -e "$here/groups" ] || : >"$here/groups"
if [ -n "${GIVE_GROUPS+given}" ]; then
  printf '%s\n' "$GIVE_GROUPS" | tr -s ' ,' '\n\n' >"$here/groups"
fi
# User ids that logins get, each once, ever.
[ -e "$here/next_uid" ] || printf '70000\n' >"$here/next_uid"
[ -e "$here/last_uid" ] || printf '99999\n' >"$here/last_uid"
[ -e "$here/revoked_keys" ] || ssh-keygen -q -k -f "$here/revoked_keys" </dev/null

if entry=$(getent passwd "$connector"); then
  case $entry in
    *:'Latchkey connector':*) ;;
    *) printf '%s\n' "There is an account $connector that was not made for Latchkey." >&2; exit 1 ;;
  esac
else
  useradd -r -M -d /nonexistent -c 'Latchkey connector' -s /bin/sh -p '*' "$connector"
fi

cat >/usr/local/sbin/latchkey-run.new <<'END'
#!/bin/sh
# Runs one program that Latchkey's connector sends, as root, if it is on this server's list.
# On standard input, a line each: the seconds it may take, the program, its values; all but the first in base64. The
# program's line "takes:" names its values; they go into its environment.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 077

refuse() {
  printf '%s\n' "$1" >&2
  exit 76
}

# What is decoded may end with line feeds, which a substitution would lose: an x stands behind them.
decoded() {
  printf '%s' "$line" | base64 -d || exit
  printf x
}

IFS= read -r seconds || refuse 'Nothing was sent.'
case $seconds in
  '' | *[!0-9]* | ?????*) refuse 'The time is no number.' ;;
esac
IFS= read -r line || refuse 'No program was sent.'
text=$(decoded) || refuse 'The program is not readable.'
text=${text%x}
digest=$(printf '%s' "$text" | sha256sum | cut -d' ' -f1)
grep -qs "^$digest " /etc/latchkey/programs /etc/latchkey/programs.own ||
  refuse "The program $digest is not on this server's list: run setup/2_server.sh again, or add it to programs.own."
for name in $(printf '%s' "$text" | sed -n 's/^# takes://p'); do
  IFS= read -r line || refuse "There is no value for $name."
  value=$(decoded) || refuse "The value of $name is not readable."
  export "$name=${value%x}"
done
exec timeout -k 1 "$seconds" sh -c "$text" </dev/null
END
chmod 0755 /usr/local/sbin/latchkey-run.new
mv -f /usr/local/sbin/latchkey-run.new /usr/local/sbin/latchkey-run

# The programs that latchkey-run runs. Your own go into programs.own, a line each: sha256sum program.sh
cat >"$here/programs" <<'END'
883151abc939c946ef5d19bfbeca67cd79c6b505b876e808c283460c32e4c1d5  accounts.sh
2905ca0662f540224e58f18ebd67761ed033638179f1088cad666670ae744e9b  admit_certificate.sh
91e8d7b398b7a6211faf9b6d5694b96cde8dbcdabe12c2d76acbeb5b0ed703b8  create_login.sh
08a59a0c812871349ada0fbe39f0b15acf1fb3cad463cda121e8e27055041aeb  drop_login.sh
90f4f08e95f21f8c91c57a8f85108cc5b1b54decfa6ddada7353e64a31bc13c3  end_sessions.sh
7d1d5063472ed5d7fb8de01ae627f9a76f1674a5c28bc1ce520e50cd2c732019  grant_group.sh
8947bf61e894ebeac55053ce36ca95efb78b9ec0e8f1154144ec4f7c2028898d  grant_own_group.sh
31e1cc29eacbff1974cca2c627e45c44a1dac8beaffd9398b69d5f0cf57ee68b  open_login.sh
62ffe3a643da327955a573220b3c67c8018c11f65c4f5ae44df703d592d1b121  revoke_certificates.sh
91c70992b63bd81340e95bc9ecf754f135cf5641dbde884d2d39517821d38286  revoke_group.sh
0adf7cac98ead0c9ae9f7d22cdceea7adb6ca380b2cfbfdd79f75f36181ebd2c  revoke_own_group.sh
c388dc9bfd5bbfa005e4c85db747f8c7f992b4327d94e0a2da1ce4d2788c75d8  server.sh
97cd1e9092b5e81ec29092b8ffad999537beb1428c82f8cf53b8d05ad4937592  shut_login.sh
END

{
  printf '%s\n' "Defaults:$connector !requiretty" \
    "$connector ALL=(root) NOPASSWD: /usr/local/sbin/latchkey-run \"\""
  # Logins have no password that sudo could ask for.
  printf '%s\n' '%latchkey-sudo ALL=(ALL:ALL) NOPASSWD: ALL'
} >"$here/sudoers.new"
visudo -q -c -f "$here/sudoers.new"
chmod 0440 "$here/sudoers.new"
mv -f "$here/sudoers.new" /etc/sudoers.d/latchkey
case ${GIVE_SUDO:-} in
  yes) getent group latchkey-sudo >/dev/null || groupadd -r latchkey-sudo ;;
  no) ! getent group latchkey-sudo >/dev/null || groupdel latchkey-sudo ;;
esac

cat >"$here/sshd.new" <<END
# Made by Latchkey. Only logins lk_... and the connector are touched.
Match User lk_*
    TrustedUserCAKeys $here/user_ca.pub
    RevokedKeys $here/revoked_keys
    AuthorizedPrincipalsFile $here/principals/%u
    AuthorizedKeysFile none
    AuthorizedKeysCommand none
    AuthenticationMethods publickey
    PubkeyAuthentication yes
Match User $connector
    AuthorizedKeysFile $here/connector_keys
    AuthenticationMethods publickey
    PubkeyAuthentication yes
    ForceCommand sudo -n /usr/local/sbin/latchkey-run
    PermitTTY no
    DisableForwarding yes
    PermitUserRC no
Match all
END
target=/etc/ssh/sshd_config.d/latchkey.conf
mkdir -p /etc/ssh/sshd_config.d
if ! grep -Eiq '^[[:space:]]*Include[[:space:]]+/etc/ssh/sshd_config\.d/' /etc/ssh/sshd_config; then
  printf '%s\n' 'Add this line at the top of /etc/ssh/sshd_config, and run this again:' \
    'Include /etc/ssh/sshd_config.d/*.conf' >&2
  exit 1
fi
[ ! -e "$target" ] || cp -p "$target" "$here/sshd.old"
mv -f "$here/sshd.new" "$target"
mkdir -p /run/sshd
if ! "$(command -v sshd)" -t; then
  if [ -e "$here/sshd.old" ]; then mv -f "$here/sshd.old" "$target"; else rm -f "$target"; fi
  printf '%s\n' 'sshd does not take the rules; nothing of its configuration was changed.' >&2
  exit 1
fi
rm -f "$here/sshd.old"

if [ -d /run/systemd/system ]; then
  systemctl reload ssh 2>/dev/null || systemctl reload sshd
elif [ -s /run/sshd.pid ]; then
  kill -HUP "$(cat /run/sshd.pid)"
else
  printf '%s\n' 'sshd does not seem to run: the rules count from its next start.'
fi
printf '%s\n' 'Ready. Its host keys, to be compared with the known hosts of the integration:'
for file in /etc/ssh/ssh_host_*_key.pub; do
  [ ! -e "$file" ] || ssh-keygen -l -f "$file"
done
