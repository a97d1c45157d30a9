# The token is asked for, so that it stays out of the history of the shell.
$Secure = Read-Host -AsSecureString "Token"
$Token = [System.Net.NetworkCredential]::new("", $Secure).Password
$Folder = Join-Path $HOME ".latchkey"
New-Item -ItemType Directory -Force -Path $Folder | Out-Null
$File = Join-Path $Folder "$Name.token"
Set-Content -NoNewline -Path $File -Value $Token
docker run --detach --restart always --name "latchkey-$Name" `
  --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges `
  --env "LATCHKEY_URL=$Url" --env LATCHKEY_CONNECTOR_PLATFORM=docker `
  --env LATCHKEY_CONNECTOR_TOKEN_FILE=/run/secrets/token `
  --volume "${File}:/run/secrets/token:ro" $Image
