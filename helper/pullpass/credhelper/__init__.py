"""docker-credential-pullpass: Docker's credential helper protocol."""
