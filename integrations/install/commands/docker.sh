# The token is asked for, so that it stays out of the history of the shell.
printf "Token: "; stty -echo; read -r TOKEN; stty echo; printf "\n"
mkdir -p "$HOME/.latchkey" && chmod 700 "$HOME/.latchkey"
(umask 077; printf "%s" "$TOKEN" >"$HOME/.latchkey/$NAME.token")
docker run --detach --restart always --name "latchkey-$NAME" --user "$(id -u):$(id -g)" \
  --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
  --env LATCHKEY_URL="$URL" --env LATCHKEY_CONNECTOR_PLATFORM=docker \
  --env LATCHKEY_CONNECTOR_TOKEN_FILE=/run/secrets/token \
  --volume "$HOME/.latchkey/$NAME.token:/run/secrets/token:ro" "$IMAGE"
