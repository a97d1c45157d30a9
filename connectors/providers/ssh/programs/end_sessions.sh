#!/bin/sh
# Ends the processes of one login, and what they started, until none is left.
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
uid=$(printf '%s' "$entry" | cut -d: -f3)

# The account's processes and everything below them, whoever it runs as (sudo).
processes() {
  cat /proc/[0-9]*/status 2>/dev/null | awk -v uid="$uid" '
    /^State:/ { state = $2 }
    /^Pid:/ { pid = $2 }
    /^PPid:/ { parent[pid] = $2 }
    /^Uid:/ {
      alive[pid] = state != "Z"
      if (alive[pid] && ($2 == uid || $3 == uid || $4 == uid || $5 == uid)) hit[pid] = 1
    }
    END {
      do {
        more = 0
        for (pid in parent) if (!(pid in hit) && (parent[pid] in hit)) { hit[pid] = 1; more = 1 }
      } while (more)
      for (pid in hit) if (alive[pid]) print pid
    }'
}

# A hang-up first, so that editors save what they have; twice nothing, because one may just be coming in.
signal=HUP
nothing=0
while [ "$nothing" -lt 2 ]; do
  found=$(processes)
  if [ -z "$found" ]; then
    nothing=$((nothing + 1))
  else
    nothing=0
    # All at once first, as the account itself: nobody can start new ones faster than that.
    setpriv --reuid "$uid" --clear-groups sh -c 'kill -s "$0" -- -1' "$signal" 2>/dev/null || :
    for pid in $found; do
      kill -s "$signal" "$pid" 2>/dev/null || :
    done
    signal=KILL
  fi
  sleep 0.1
done
