# The token is asked for, so that it stays out of the history of the shell.
$Secure = Read-Host -AsSecureString "Token"
$Token = [System.Net.NetworkCredential]::new("", $Secure).Password
$File = New-TemporaryFile
Set-Content -NoNewline -Path $File -Value $Token
$Secret = aws secretsmanager create-secret --name "latchkey/$Name" --secret-string "file://$File" --query ARN --output text
Remove-Item $File
# Where it runs: a VPC, and subnets of it that reach out.
aws cloudformation deploy --stack-name "latchkey-$Name" --template-file deploy/cloudformation/connector-ecs.yaml `
  --capabilities CAPABILITY_NAMED_IAM --parameter-overrides `
  "Url=$Url" "Image=$Image" "TokenSecretArn=$Secret" "VpcId=$VpcId" "SubnetIds=$SubnetIds" WithPermissions=true
