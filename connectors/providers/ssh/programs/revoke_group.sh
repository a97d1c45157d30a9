#!/bin/sh
# Takes the account of a grant out of a group.
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
if id -Gnz "$LOGIN" | tr '\0' '\n' | grep -Fqx -- "$GROUP"; then
  gpasswd -d "$LOGIN" "$GROUP" >/dev/null
fi
