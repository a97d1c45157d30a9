#!/bin/sh
# Opens the account of one grant until a day (counted from 1970; -1 is never) that follows its end.
# needs: root, through latchkey-run
# takes: LOGIN MARKER LOGIN_SHELL EXPIRES
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
grep -Fqx -- "$LOGIN_SHELL" /etc/shells || fail 78 "The shell $LOGIN_SHELL is not in /etc/shells."
home="/home/latchkey/$LOGIN"
[ -d "$home" ] || install -d -m 0700 -o "$LOGIN" -g "$LOGIN" "$home"
usermod -p '*' -s "$LOGIN_SHELL" "$LOGIN"
chage -E "$EXPIRES" "$LOGIN"
# The only principal that sshd takes for this account; the folder belongs to root.
printf '%s\n' "$LOGIN" >"/etc/latchkey/principals/$LOGIN"
chmod 0644 "/etc/latchkey/principals/$LOGIN"
