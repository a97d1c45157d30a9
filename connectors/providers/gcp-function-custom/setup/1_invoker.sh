#!/bin/sh
# Lets the connector's service account call one function, and nothing else. Run it once, as somebody who may change its policy:
#   PROJECT=… REGION=… FUNCTION=… CONNECTOR=connector@PROJECT.iam.gserviceaccount.com sh 1_invoker.sh
set -eu
: "${PROJECT:?}" "${REGION:?}" "${FUNCTION:?}" "${CONNECTOR:?}"
gcloud run services add-iam-policy-binding "$FUNCTION" --project="$PROJECT" --region="$REGION" \
  --member="serviceAccount:$CONNECTOR" --role=roles/run.invoker
