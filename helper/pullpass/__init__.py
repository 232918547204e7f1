"""Pull container images with a workload identity: no registry secret is stored anywhere."""

__version__ = "0.1.0"
