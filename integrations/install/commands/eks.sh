# The token is asked for, so that it stays out of the history of the shell.
printf "Token: "; stty -echo; read -r TOKEN; stty echo; printf "\n"
# The role that the connector's service account takes, by Pod Identity.
aws cloudformation deploy --stack-name "latchkey-$NAME-role" --template-file deploy/cloudformation/connector-eks.yaml \
  --capabilities CAPABILITY_NAMED_IAM --parameter-overrides \
  ClusterName="$CLUSTER" Namespace=latchkey-connector ServiceAccount="latchkey-$NAME" WithPermissions=true
kubectl create namespace latchkey-connector --dry-run=client -o yaml | kubectl apply -f -
printf "%s" "$TOKEN" | kubectl --namespace latchkey-connector create secret generic "latchkey-$NAME" --from-file=token=/dev/stdin
helm upgrade --install "latchkey-$NAME" deploy/helm/latchkey-connector --namespace latchkey-connector \
  --set url="$URL" --set image="$IMAGE" --set tokenSecret="latchkey-$NAME" --set platform=eks
