"""The issuer: roles decide, keys sign, documents let others verify, the audit remembers."""
