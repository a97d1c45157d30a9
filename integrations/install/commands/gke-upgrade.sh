helm upgrade "latchkey-$NAME" deploy/helm/latchkey-connector --namespace latchkey --reuse-values --set image="$IMAGE"
