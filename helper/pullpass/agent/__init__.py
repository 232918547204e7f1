"""The resident process: its socket protocol, its client and its server."""
