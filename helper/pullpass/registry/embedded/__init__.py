"""A small OCI registry for demos and tests; it checks tokens as docker-registry 2.8 does.

It is not for production: it deletes nothing, and it does not wait for the disk.
"""

from pullpass.registry.embedded.app import create

__all__ = ["create"]
