"""Somebody else's token: discovery, keys, checks. VerifiedClaims come out of here alone."""
