#!/bin/sh
# Makes the account of one grant: with a marker, without a password, and shut.
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
here=/etc/latchkey
exec 9>/run/latchkey.lock
flock 9
if grep -q "^$LOGIN:" /etc/passwd; then
  fail 76 "There is an account $LOGIN already."
fi

# A number is never given twice: files of somebody who is gone must not become somebody else's.
read -r uid <"$here/next_uid"
read -r last <"$here/last_uid"
while getent passwd "$uid" >/dev/null || getent group "$uid" >/dev/null; do
  uid=$((uid + 1))
done
[ "$uid" -le "$last" ] || fail 78 "No user id is left: raise the number in $here/last_uid."
printf '%s\n' "$((uid + 1))" >"$here/next_uid.new"
mv -f "$here/next_uid.new" "$here/next_uid"

# What an attempt that broke off has left.
if grep -q "^$LOGIN:" /etc/group; then
  groupdel "$LOGIN"
fi
groupadd -g "$uid" "$LOGIN" 2>/dev/null
if ! said=$(useradd -M -N -u "$uid" -g "$uid" -d "/home/latchkey/$LOGIN" -c "$MARKER" -s /usr/sbin/nologin -p '!' \
  -K PASS_MAX_DAYS=-1 -K PASS_MIN_DAYS=0 -f -1 "$LOGIN" 2>&1); then
  groupdel "$LOGIN"
  fail 78 "$said"
fi
chage -E 1 "$LOGIN"
