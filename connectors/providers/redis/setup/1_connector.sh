#!/bin/sh
# Makes the connector's own user on one server. Run it for every node, once, as somebody who may make users:
#
#     LATCHKEY_PASSWORD='a new long password' sh 1_connector.sh -h HOST -p PORT --user ADMIN --askpass
#
# What you give it is given to redis-cli. The server is sent the SHA-256 of the password, never the password.
#
# The user may make, change and remove users, see and end connections, and nothing else: it has no key and no channel.
# But whoever makes users can make one that may do everything, so guard this password like an admin's.
#
# Where users are kept in redis.conf, say LATCHKEY_PERSISTENCE=configuration_file; where nowhere, =memory.
set -eu

: "${LATCHKEY_PASSWORD:?is the new password of the connector}"
hash=$(printf %s "$LATCHKEY_PASSWORD" | sha256sum | cut -c1-64)

case "${LATCHKEY_PERSISTENCE:-acl_file}" in
    acl_file) save='+acl|save' keep='ACL SAVE' ;;
    configuration_file) save='+config|rewrite' keep='CONFIG REWRITE' ;;
    memory) save='' keep='' ;;
    *) echo 'LATCHKEY_PERSISTENCE is acl_file, configuration_file or memory' >&2; exit 2 ;;
esac

# shellcheck disable=SC2086 # $save and $keep are none or several words
redis-cli -e "$@" ACL SETUSER latchkey reset on "#$hash" resetchannels -@all \
    '+acl|setuser' '+acl|deluser' '+acl|getuser' '+acl|list' '+acl|log' \
    '+client|list' '+client|kill' +info +time $save
# shellcheck disable=SC2086
[ -z "$keep" ] || redis-cli -e "$@" $keep
