"""The platforms that give identities, each a generator. Pure."""
