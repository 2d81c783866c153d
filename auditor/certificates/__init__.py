"""The certificate room: makes, installs, proves and renews TLS certificates for Docker daemons and their clients."""
