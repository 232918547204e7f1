"""Transit keys: signing keys with versions, and where they rest."""
