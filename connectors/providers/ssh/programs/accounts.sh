#!/bin/sh
# Tells what the accounts are that bear a marker or one of some names: their groups, certificates and sessions.
# needs: root, through latchkey-run
# takes: MARKER NAMES
set -eu

here=/etc/latchkey

fail() {
  printf '%s\n' "$2" >&2
  exit "$1"
}

# Sessions: processes of the account whose parent is not one of its own. A dead one that nobody waited for counts not.
sessions() {
  cat /proc/[0-9]*/status 2>/dev/null | awk -v uid="$1" '
    /^State:/ { state = $2 }
    /^Pid:/ { pid = $2 }
    /^PPid:/ { parent[pid] = $2 }
    /^Uid:/ { if (state != "Z" && ($2 == uid || $3 == uid || $4 == uid || $5 == uid)) own[pid] = 1 }
    END { for (pid in own) if (!(parent[pid] in own)) count++; print count + 0 }'
}

certificates() {
  for file in "$here/certificates/$1"/*.pub; do
    [ -e "$file" ] || continue
    said=$(ssh-keygen -Q -f "$here/revoked_keys" "$file" 2>&1) || :
    case $said in
      *": REVOKED") state=revoked ;;
      *": ok") state=valid ;;
      *) fail 78 "The revocation list $here/revoked_keys cannot be read: $said" ;;
    esac
    printf 'certificate\t%s\t%s\t%s\n' "$1" "$state" "$(cat "$file")"
  done
}

# Numbers are names of accounts to getent, so what it found is compared.
entries() {
  awk -F: 'index($5, ENVIRON["MARKER"]) == 1' /etc/passwd
  printf '%s\n' "$NAMES" | while IFS= read -r name; do
    entry=$(getent passwd -- "$name") || continue
    if [ "${entry%%:*}" = "$name" ]; then
      printf '%s\n' "$entry"
    fi
  done
}

printf 'now\t%s\n' "$(date +%s)"
entries | sort -u | while IFS=: read -r name _ uid _ gecos _ shell; do
  expires=$(getent shadow -- "$name" | cut -d: -f8 || :)
  printf 'account\t%s\t%s\t%s\t%s\t%s\n' "$name" "$uid" "$expires" "$shell" "$gecos"
  id -Gnz -- "$name" | tr '\0' '\n' | while IFS= read -r group; do
    printf 'group\t%s\t%s\n' "$name" "$group"
  done
  case $gecos in
    "$MARKER"*)
      if [ -e "$here/principals/$name" ]; then
        printf 'principal\t%s\n' "$name"
      fi
      certificates "$name"
      printf 'sessions\t%s\t%s\n' "$name" "$(sessions "$uid")"
      ;;
  esac
done
# People's own accounts that were put into a group for this person, whatever they are called now.
for note in "$here"/members/*/*; do
  if [ -e "$note" ] && [ "$(cat "$note")" = "$MARKER" ]; then
    account=${note##*/}
    group=${note%/*}
    group=${group##*/}
    has=no
    if id -Gnz -- "$account" 2>/dev/null | tr '\0' '\n' | grep -Fqx -- "$group"; then
      has=yes
    fi
    printf 'member\t%s\t%s\t%s\n' "$group" "$account" "$has"
  fi
done
grep . "$here/groups" | while read -r group; do
  if getent group -- "$group" >/dev/null; then
    printf 'allowed\t%s\n' "$group"
  fi
done
if getent group latchkey-sudo >/dev/null; then
  printf 'allowed\tlatchkey-sudo\n'
fi
printf 'end\n'
