# The token is asked for, so that it stays out of the history of the shell.
printf "Token: "; stty -echo; read -r TOKEN; stty echo; printf "\n"
sudo deploy/systemd/install "$VERSION"
printf "%s" "$TOKEN" | sudo systemd-creds encrypt --name=token - /etc/latchkey/connector.token
printf "LATCHKEY_URL=%s\n" "$URL" | sudo tee /etc/latchkey/connector.env >/dev/null
sudo systemctl enable --now latchkey-connector
