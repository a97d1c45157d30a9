# The token is asked for, so that it stays out of the history of the shell.
printf "Token: "; stty -echo; read -r TOKEN; stty echo; printf "\n"
printf "%s" "$TOKEN" | gcloud secrets create "latchkey-$NAME" --data-file=-
# A worker pool has no address of its own: nobody can call it, and it is always on.
gcloud run worker-pools deploy "latchkey-$NAME" --image "$IMAGE" --region "$REGION" --instances 2 \
  --service-account "$GOOGLE_SERVICE_ACCOUNT" --set-env-vars LATCHKEY_URL="$URL",LATCHKEY_CONNECTOR_PLATFORM=cloud-run \
  --set-secrets LATCHKEY_CONNECTOR_TOKEN="latchkey-$NAME:latest"
