#!/bin/sh
# Tells what this server is: its clock, what it allows, how its sshd treats the logins that Latchkey makes.
# needs: root, through latchkey-run
set -eu

here=/etc/latchkey
printf 'now\t%s\n' "$(date +%s)"
printf 'version\t%s\n' "$(ssh -V 2>&1)"
cat "$here/programs" "$here/programs.own" 2>/dev/null | while read -r digest _; do
  printf 'program\t%s\n' "$digest"
done
grep . "$here/groups" | while read -r group; do
  if getent group -- "$group" >/dev/null; then
    printf 'group\t%s\n' "$group"
  fi
done
if getent group latchkey-sudo >/dev/null; then
  printf 'sudo\tyes\n'
fi
while read -r kind key _; do
  printf 'ca\t%s %s\n' "$kind" "$key"
done <"$here/user_ca.pub"
read -r next <"$here/next_uid"
read -r last <"$here/last_uid"
printf 'uids\t%s\n' "$((last - next + 1))"
sshd=$(command -v sshd || printf '/usr/sbin/sshd')
"$sshd" -T -C user=lk_check,host=localhost,addr=127.0.0.1 | while read -r name value; do
  printf 'sshd\t%s %s\n' "$name" "$value"
done
while IFS= read -r shell; do
  printf 'shell\t%s\n' "$shell"
done </etc/shells
printf 'end\n'
