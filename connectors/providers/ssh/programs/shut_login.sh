#!/bin/sh
# Shuts the account of one grant: expired, locked, without a shell, and nothing that starts by the clock.
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
entry=$(grep "^$LOGIN:" /etc/passwd) || fail 67 "There is no account $LOGIN."
[ "$(printf '%s' "$entry" | cut -d: -f5)" = "$MARKER" ] || fail 76 "The account $LOGIN was not made for this grant."
rm -f "/etc/latchkey/principals/$LOGIN"
chage -E 1 "$LOGIN"
usermod -L -s /usr/sbin/nologin "$LOGIN"

# What would start something later on without signing in. Nothing is thrown away.
kept="/home/latchkey/.kept/$LOGIN.later"
rm -f "/var/lib/systemd/linger/$LOGIN"
for file in "/var/spool/cron/crontabs/$LOGIN" "/var/spool/cron/$LOGIN"; do
  if [ -f "$file" ]; then
    mkdir -p "$kept"
    mv "$file" "$kept/crontab"
  fi
done
for folder in /var/spool/cron/atjobs /var/spool/at; do
  if [ -d "$folder" ]; then
    jobs=$(find "$folder" -maxdepth 1 -type f -user "$LOGIN" -print -quit)
    [ -z "$jobs" ] || mkdir -p "$kept"
    find "$folder" -maxdepth 1 -type f -user "$LOGIN" -exec mv {} "$kept" \;
  fi
done
