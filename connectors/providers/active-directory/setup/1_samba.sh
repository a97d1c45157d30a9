#!/bin/sh
# Makes what the connector needs in a Samba domain: its account, its container of records, and the right to write the
# members of chosen groups and of no others. Run it on the domain controller, as root:
#
#   PLACES='OU=Shop,DC=example,DC=com' PASSWORD='…' sh 1_samba.sh
#
# PLACES has a line for each group, or for each unit: then all groups that are in it now and later. It may be run again.
# ACCOUNT (latchkey) and RECORDS (CN=Latchkey in the domain) may be given; SAM is where the directory is.
set -eu
: "${PLACES:?a DN on each line}" "${PASSWORD:?the password of the connector}"
ACCOUNT="${ACCOUNT:-latchkey}"
SAM="${SAM:-/var/lib/samba/private/sam.ldb}"

domain=$(ldbsearch -H "$SAM" -s base -b '' defaultNamingContext | sed -n 's/^defaultNamingContext: //p')
RECORDS="${RECORDS:-CN=Latchkey,$domain}"

if ! samba-tool user show "$ACCOUNT" -H "$SAM" >/dev/null 2>&1; then
    samba-tool user create "$ACCOUNT" "$PASSWORD" -H "$SAM" \
        --description='The connector of Latchkey: puts people into groups for a time'
fi
sid=$(samba-tool user show "$ACCOUNT" -H "$SAM" --attributes=objectSid | sed -n 's/^objectSid: //p')

if ! ldbsearch -H "$SAM" -s base -b "$RECORDS" dn >/dev/null 2>&1; then
    printf 'dn: %s\nobjectClass: container\ndescription: What Latchkey gave to whom\n' "$RECORDS" | ldbadd -H "$SAM"
fi

# The last two GUIDs of an entry are what it is about and what it is inherited by: bf9679c0 is member, bf967a9c is group,
# bf967a8b is container.
allow() {
    samba-tool dsacl set -H "$SAM" --objectdn="$1" --sddl="$2" >/dev/null
}
container=bf967a8b-0de6-11d0-a285-00aa003049e2
member=bf9679c0-0de6-11d0-a285-00aa003049e2
group=bf967a9c-0de6-11d0-a285-00aa003049e2

# Create and delete containers in it, and write their properties; nothing else below it, and nothing of itself.
allow "$RECORDS" "(OA;;CCDC;$container;;$sid)"
allow "$RECORDS" "(OA;CIIO;RPWP;;$container;$sid)"

printf '%s\n' "$PLACES" | while IFS= read -r place; do
    [ -n "$place" ] || continue
    if ldbsearch -H "$SAM" -s base -b "$place" '(objectClass=group)' dn | grep -q '^dn: '; then
        allow "$place" "(OA;;WP;$member;;$sid)"
    else
        allow "$place" "(OA;CIIO;WP;$member;$group;$sid)"
    fi
done
