"""The token server: workload identities in, registry tokens out.

A connection trusts an issuer, its rulesets say what subjects may do. An identity is exchanged for a
credential, a credential is shown for registry tokens. Neither passes for the other.
"""
