#!/bin/sh
# Makes the connector's own user on a broker. Run it once, as somebody with the tag administrator:
#
#     LATCHKEY_PASSWORD='a new long password' sh 1_connector.sh https://mq.example.org:15671 --user ADMIN
#
# The first argument is the management API; what follows is given to curl, which asks for ADMIN's password. The broker is
# sent a salted hash of the new password (openssl makes it), never the password.
#
# RabbitMQ has no smaller right to make users than the tag administrator, which may do everything: guard this password
# like an admin's. The user gets no permission in any vhost, so it reads no message.
set -eu

: "${LATCHKEY_PASSWORD:?is the new password of the connector}"
url=${1:?is the address of the management API}
shift

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
openssl rand 4 > "$folder/salt"
{ cat "$folder/salt"; printf %s "$LATCHKEY_PASSWORD"; } | openssl dgst -sha256 -binary > "$folder/digest"
hash=$(cat "$folder/salt" "$folder/digest" | openssl base64 -A)

curl --fail --silent --show-error "$@" --request PUT --header 'Content-Type: application/json' \
    --data "{\"password_hash\": \"$hash\", \"hashing_algorithm\": \"rabbit_password_hashing_sha256\", \"tags\": \"administrator\"}" \
    "$url/api/users/latchkey"
