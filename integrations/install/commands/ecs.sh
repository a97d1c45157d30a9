# The token is asked for, so that it stays out of the history of the shell.
printf "Token: "; stty -echo; read -r TOKEN; stty echo; printf "\n"
(umask 077; printf "%s" "$TOKEN" >latchkey.token)
SECRET=$(aws secretsmanager create-secret --name "latchkey/$NAME" --secret-string file://latchkey.token \
  --query ARN --output text) && rm latchkey.token
# Where it runs: a VPC, and subnets of it that reach out.
aws cloudformation deploy --stack-name "latchkey-$NAME" --template-file deploy/cloudformation/connector-ecs.yaml \
  --capabilities CAPABILITY_NAMED_IAM --parameter-overrides \
  Url="$URL" Image="$IMAGE" TokenSecretArn="$SECRET" VpcId="$VPC_ID" SubnetIds="$SUBNET_IDS" WithPermissions=true
