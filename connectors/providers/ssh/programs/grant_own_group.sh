#!/bin/sh
# Puts a person's own account into a group that this server allows to be given, and writes down that it was us.
# needs: root, through latchkey-run
# takes: ACCOUNT GROUP MARKER
set -eu

fail() {
  printf '%s\n' "$2" >&2
  exit "$1"
}

case $ACCOUNT in
  '' | .* | -* | */* | lk_*) fail 76 "$ACCOUNT is no account of a person." ;;
esac
case $GROUP in
  '' | .* | -* | */*) fail 64 "$GROUP is no name of a group." ;;
esac
exec 9>/run/latchkey.lock
flock 9
entry=$(getent passwd -- "$ACCOUNT") || fail 67 "There is no account $ACCOUNT."
[ "${entry%%:*}" = "$ACCOUNT" ] || fail 67 "There is no account $ACCOUNT."
[ "$(printf '%s' "$entry" | cut -d: -f3)" -ge 1000 ] || fail 76 "$ACCOUNT is an account of the system."
grep -Fqx -- "$GROUP" /etc/latchkey/groups ||
  fail 77 "This server does not let Latchkey give the group $GROUP: it is not in /etc/latchkey/groups."
getent group -- "$GROUP" >/dev/null || fail 67 "There is no group $GROUP."
if id -Gnz -- "$ACCOUNT" | tr '\0' '\n' | grep -Fqx -- "$GROUP"; then
  exit 0 # it was there before; nobody takes it again
fi
install -d -m 0755 "/etc/latchkey/members/$GROUP"
printf '%s\n' "$MARKER" >"/etc/latchkey/members/$GROUP/$ACCOUNT"
gpasswd -a "$ACCOUNT" "$GROUP" >/dev/null
