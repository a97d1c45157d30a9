# The token is asked for, so that it stays out of the history of the shell.
$Secure = Read-Host -AsSecureString "Token"
$Token = [System.Net.NetworkCredential]::new("", $Secure).Password
kubectl create namespace latchkey-connector --dry-run=client -o yaml | kubectl apply -f -
$File = New-TemporaryFile
Set-Content -NoNewline -Path $File -Value $Token
kubectl --namespace latchkey-connector create secret generic "latchkey-$Name" "--from-file=token=$File"
Remove-Item $File
helm upgrade --install "latchkey-$Name" deploy/helm/latchkey-connector --namespace latchkey-connector `
  --set "url=$Url" --set "image=$Image" --set "tokenSecret=latchkey-$Name"
