"""SPIFFE's Workload API, for the identity source ``spiffe``."""
