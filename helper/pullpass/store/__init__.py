"""Where static secrets rest. The only door to keyring, to pass and to systemd's credentials."""
