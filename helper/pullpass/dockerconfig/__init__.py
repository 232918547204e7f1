"""Docker's config.json and podman's auth.json: who answers for a registry, and nothing else."""
