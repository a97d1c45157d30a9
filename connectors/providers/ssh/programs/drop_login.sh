#!/bin/sh
# Removes the account of a grant that has ended. Its files are kept, in /home/latchkey/.kept, and where they are.
# needs: root, through latchkey-run
# takes: LOGIN MARKER
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
here=/etc/latchkey
if entry=$(grep "^$LOGIN:" /etc/passwd); then
  [ "$(printf '%s' "$entry" | cut -d: -f5)" = "$MARKER" ] || fail 76 "The account $LOGIN was not made for this grant."
  expires=$(getent shadow "$LOGIN" | cut -d: -f8)
  [ "$expires" = 1 ] || fail 78 "The account $LOGIN is not shut."
  userdel "$LOGIN"
fi
if grep -q "^$LOGIN:" /etc/group; then
  groupdel "$LOGIN"
fi
home="/home/latchkey/$LOGIN"
if [ -d "$home" ] && ! rmdir "$home" 2>/dev/null; then
  kept="/home/latchkey/.kept/$LOGIN"
  [ ! -e "$kept" ] || kept="$kept.$(date +%s)"
  mv "$home" "$kept"
fi
if [ -f "/var/mail/$LOGIN" ]; then
  mv "/var/mail/$LOGIN" "/home/latchkey/.kept/$LOGIN.mail"
fi
rm -f "$here/principals/$LOGIN"
rm -rf "$here/certificates/$LOGIN"
