helm upgrade "latchkey-$NAME" deploy/helm/latchkey-connector --namespace latchkey-connector --reuse-values --set image="$IMAGE"
