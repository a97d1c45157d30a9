aws cloudformation deploy --stack-name "latchkey-$NAME" --template-file deploy/cloudformation/connector-ecs.yaml \
  --capabilities CAPABILITY_NAMED_IAM --parameter-overrides Image="$IMAGE"
