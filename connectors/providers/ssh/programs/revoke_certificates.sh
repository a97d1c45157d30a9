#!/bin/sh
# Adds certificates of one login to the revocation list that sshd asks; those of others stay what they are.
# needs: root, through latchkey-run
# takes: LOGIN MARKER SERIALS
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
here=/etc/latchkey
list="$here/revoked_keys"
[ -e "$list" ] || fail 78 "The revocation list $list is missing: sshd lets no login of Latchkey in without it."
cp "$list" "$list.new"
printf '%s\n' "$SERIALS" | while IFS= read -r serial; do
  case $serial in
    '' | *[!0-9]*) fail 64 "$serial is no serial number." ;;
  esac
  ssh-keygen -q -k -u -f "$list.new" "$here/certificates/$LOGIN/$serial.pub"
done
chmod 0644 "$list.new"
sync "$list.new"
mv -f "$list.new" "$list"
