#!/bin/sh
# Makes the two key pairs of one integration, in the current folder, on a machine that you trust. Run it once.
#
#   latchkey_connector  the connector's own key: its private half goes into the integration, its public half to servers
#   latchkey_ca         signs the certificates of grantees: its private half goes into the integration too
#
# When both are in the integration, delete the private halves here.
set -eu
umask 077
ssh-keygen -q -t ed25519 -N '' -C 'latchkey connector' -f latchkey_connector
ssh-keygen -q -t ed25519 -N '' -C 'latchkey user CA' -f latchkey_ca
printf '%s\n' "For setup/2_server.sh:" \
  "CONNECTOR_KEY='$(cat latchkey_connector.pub)'" "CA_KEY='$(cat latchkey_ca.pub)'"
