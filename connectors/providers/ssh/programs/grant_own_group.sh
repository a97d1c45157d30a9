#!/bin/sh
# Puts a person's own account into a group that this server allows to be given.
# needs: root, through latchkey-run
# takes: ACCOUNT GROUP
set -eu

fail() {
  printf '%s\n' "$2" >&2
  exit "$1"
}

case $ACCOUNT in
  lk_*) fail 76 "$ACCOUNT is no account of a person." ;;
esac
entry=$(getent passwd -- "$ACCOUNT") || fail 67 "There is no account $ACCOUNT."
[ "${entry%%:*}" = "$ACCOUNT" ] || fail 67 "There is no account $ACCOUNT."
uid=$(printf '%s' "$entry" | cut -d: -f3)
[ "$uid" -ge 1000 ] || fail 76 "$ACCOUNT is an account of the system."
grep -Fqx -- "$GROUP" /etc/latchkey/groups ||
  fail 77 "This server does not let Latchkey give the group $GROUP: it is not in /etc/latchkey/groups."
exec 9>/run/latchkey.lock
flock 9
getent group -- "$GROUP" >/dev/null || fail 67 "There is no group $GROUP."
gpasswd -a "$ACCOUNT" "$GROUP" >/dev/null
