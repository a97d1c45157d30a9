docker pull "$IMAGE"
docker rm --force "latchkey-$NAME"
docker run --detach --restart always --name "latchkey-$NAME" --user "$(id -u):$(id -g)" \
  --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
  --env LATCHKEY_URL="$URL" --env LATCHKEY_CONNECTOR_PLATFORM=docker \
  --env LATCHKEY_CONNECTOR_TOKEN_FILE=/run/secrets/token \
  --volume "$HOME/.latchkey/$NAME.token:/run/secrets/token:ro" "$IMAGE"
