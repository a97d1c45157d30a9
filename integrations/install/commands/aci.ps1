# The token is asked for, so that it stays out of the history of the shell.
$Secure = Read-Host -AsSecureString "Token"
$Token = [System.Net.NetworkCredential]::new("", $Secure).Password
az container create --resource-group $ResourceGroup --name "latchkey-$Name" --image $Image `
  --assign-identity --restart-policy Always --cpu 1 --memory 2 --os-type Linux `
  --environment-variables "LATCHKEY_URL=$Url" LATCHKEY_CONNECTOR_PLATFORM=aci `
  --secure-environment-variables "LATCHKEY_CONNECTOR_TOKEN=$Token"
