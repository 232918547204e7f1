"""TOML in, frozen dataclasses out."""
