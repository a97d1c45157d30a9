gcloud run worker-pools update "latchkey-$NAME" --image "$IMAGE" --region "$REGION"
