# The token is asked for, so that it stays out of the history of the shell.
printf "Token: "; stty -echo; read -r TOKEN; stty echo; printf "\n"
(umask 077; printf "%s" "$TOKEN" >latchkey.token)
cp deploy/compose/connector.yaml compose.yaml
printf "LATCHKEY_URL=%s\nLATCHKEY_IMAGE=%s\n" "$URL" "$IMAGE" >.env
docker compose up --detach
