"""How a registry trades a subject token for a credential: specs as TOML, one pure engine."""
