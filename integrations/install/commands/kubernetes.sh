# The token is asked for, so that it stays out of the history of the shell.
printf "Token: "; stty -echo; read -r TOKEN; stty echo; printf "\n"
kubectl create namespace latchkey-connector --dry-run=client -o yaml | kubectl apply -f -
printf "%s" "$TOKEN" | kubectl --namespace latchkey-connector create secret generic "latchkey-$NAME" --from-file=token=/dev/stdin
helm upgrade --install "latchkey-$NAME" deploy/helm/latchkey-connector --namespace latchkey-connector \
  --set url="$URL" --set image="$IMAGE" --set tokenSecret="latchkey-$NAME"
