sudo deploy/systemd/install "$VERSION"
sudo systemctl restart latchkey-connector
