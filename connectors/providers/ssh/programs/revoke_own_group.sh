#!/bin/sh
# Takes a person's own account out of a group that Latchkey put it into, and ends the sessions that have it from there.
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
note="/etc/latchkey/members/$GROUP/$ACCOUNT"
[ -e "$note" ] || fail 67 "Latchkey did not put $ACCOUNT into $GROUP."
[ "$(cat "$note")" = "$MARKER" ] || fail 76 "$ACCOUNT was put into $GROUP for somebody else."
if id -Gnz -- "$ACCOUNT" | tr '\0' '\n' | grep -Fqx -- "$GROUP"; then
  gpasswd -d "$ACCOUNT" "$GROUP" >/dev/null
fi

# The account's processes that have the group; those that were there before it was given have it not.
processes() {
  cat /proc/[0-9]*/status 2>/dev/null | awk -v uid="$uid" -v gid="$gid" '
    /^State:/ { state = $2 }
    /^Pid:/ { pid = $2 }
    /^Uid:/ { own = state != "Z" && $2 == uid }
    /^Gid:/ { has = $2 == gid || $3 == gid || $4 == gid || $5 == gid }
    /^Groups:/ {
      for (field = 2; field <= NF; field++) if ($field == gid) has = 1
      if (own && has) print pid
    }'
}

uid=$(id -u -- "$ACCOUNT" || :)
gid=$(getent group -- "$GROUP" | cut -d: -f3 || :)
signal=HUP
while [ -n "$uid" ] && [ -n "$gid" ] && found=$(processes) && [ -n "$found" ]; do
  for pid in $found; do
    kill -s "$signal" "$pid" 2>/dev/null || :
  done
  signal=KILL
  sleep 0.1
done
rm -f "$note"
rmdir "/etc/latchkey/members/$GROUP" 2>/dev/null || :
