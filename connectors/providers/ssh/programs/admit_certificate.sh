#!/bin/sh
# Writes down a certificate before anybody has it, so that it can be revoked whatever happens.
# needs: root, through latchkey-run
# takes: LOGIN MARKER SERIAL CERTIFICATE
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
case $SERIAL in
  '' | *[!0-9]*) fail 64 "$SERIAL is no serial number." ;;
esac
exec 9>/run/latchkey.lock
flock 9
entry=$(grep "^$LOGIN:" /etc/passwd) || fail 67 "There is no account $LOGIN."
[ "$(printf '%s' "$entry" | cut -d: -f5)" = "$MARKER" ] || fail 76 "The account $LOGIN was not made for this grant."
here=/etc/latchkey
folder="$here/certificates/$LOGIN"
install -d -m 0755 "$folder"
printf '%s\n' "$CERTIFICATE" >"$folder/new"
signer=$(ssh-keygen -L -f "$folder/new" | sed -n 's/^ *Signing CA: [^ ]* \([^ ]*\).*/\1/p')
if [ -z "$signer" ] || ! ssh-keygen -l -f "$here/user_ca.pub" | cut -d' ' -f2 | grep -Fqx -- "$signer"; then
  rm "$folder/new"
  fail 78 "This server does not trust the CA that signs certificates: it is not in $here/user_ca.pub."
fi
chmod 0644 "$folder/new"
mv -f "$folder/new" "$folder/$SERIAL.pub"
