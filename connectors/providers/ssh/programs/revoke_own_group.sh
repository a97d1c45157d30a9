#!/bin/sh
# Takes a person's own account out of a group, and ends the sessions that have it from there.
# needs: root, through latchkey-run
# takes: ACCOUNT GROUP
set -eu

fail() {
  printf '%s\n' "$2" >&2
  exit "$1"
}

case $ACCOUNT in
  lk_*) fail 76 "$ACCOUNT is no account of a person." ;;
esac
entry=$(getent passwd -- "$ACCOUNT") || fail 67 "There is no account $ACCOUNT."
[ "${entry%%:*}" = "$ACCOUNT" ] || fail 67 "There is no account $ACCOUNT."
uid=$(printf '%s' "$entry" | cut -d: -f3)
[ "$uid" -ge 1000 ] || fail 76 "$ACCOUNT is an account of the system."
grep -Fqx -- "$GROUP" /etc/latchkey/groups ||
  fail 77 "This server does not let Latchkey give the group $GROUP: it is not in /etc/latchkey/groups."
exec 9>/run/latchkey.lock
flock 9
group=$(getent group -- "$GROUP") || fail 67 "There is no group $GROUP."
gid=$(printf '%s' "$group" | cut -d: -f3)
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

signal=HUP
while found=$(processes) && [ -n "$found" ]; do
  for pid in $found; do
    kill -s "$signal" "$pid" 2>/dev/null || :
  done
  signal=KILL
  sleep 0.1
done
