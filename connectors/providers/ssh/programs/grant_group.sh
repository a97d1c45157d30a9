#!/bin/sh
# Puts the account of a grant into a group that this server allows to be given.
# needs: root, through latchkey-run
# takes: LOGIN MARKER GROUP
set -eu

fail() {
  printf '%s\n' "$2" >&2
  exit "$1"
}

case $LOGIN in
  *[!a-z0-9_]*) fail 64 "$LOGIN is no name for a login." ;;
  lk_?*) ;;
  *) fail 64 "$LOGIN is no name for a login." ;;
esac
exec 9>/run/latchkey.lock
flock 9
entry=$(grep "^$LOGIN:" /etc/passwd) || fail 67 "There is no account $LOGIN."
[ "$(printf '%s' "$entry" | cut -d: -f5)" = "$MARKER" ] || fail 76 "The account $LOGIN was not made for this grant."
if [ "$GROUP" != latchkey-sudo ] && ! grep -Fqx -- "$GROUP" /etc/latchkey/groups; then
  fail 77 "This server does not let Latchkey give the group $GROUP: it is not in /etc/latchkey/groups."
fi
getent group -- "$GROUP" >/dev/null || fail 67 "There is no group $GROUP."
gpasswd -a "$LOGIN" "$GROUP" >/dev/null
