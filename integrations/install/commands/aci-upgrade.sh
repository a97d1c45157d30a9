# A container group takes no new image: it is made again, with a token.
# The token is asked for, so that it stays out of the history of the shell.
printf "Token: "; stty -echo; read -r TOKEN; stty echo; printf "\n"
az container delete --resource-group "$RESOURCE_GROUP" --name "latchkey-$NAME" --yes
az container create --resource-group "$RESOURCE_GROUP" --name "latchkey-$NAME" --image "$IMAGE" \
  --assign-identity --restart-policy Always --cpu 1 --memory 2 --os-type Linux \
  --environment-variables LATCHKEY_URL="$URL" LATCHKEY_CONNECTOR_PLATFORM=aci \
  --secure-environment-variables LATCHKEY_CONNECTOR_TOKEN="$TOKEN"
