"""What relying parties read: the discovery document and the JWKS. Pure."""

from typing import Any

from pullpass.config.issuing import Issuer
from pullpass.keys.transit import TransitKey

DISCOVERY = "/.well-known/openid-configuration"
METADATA = "/.well-known/oauth-authorization-server"
JWKS = "/jwks"


def discovery(issuer: Issuer) -> dict[str, Any]:
    """Returns the document of OpenID Connect Discovery 1.0 §3 and RFC 8414 §2.

    It has no ``authorization_endpoint``, as with other issuers that serve workloads alone.
    """
    return {
        "issuer": issuer.issuer,
        "jwks_uri": f"{issuer.issuer}{JWKS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [issuer.algorithm],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"],
    }


def jwks(key: TransitKey, algorithm: str = "") -> dict[str, Any]:
    """Returns the public halves of key's published versions (RFC 7517 §5)."""
    return {"keys": [version.public.jwk(version.kid, algorithm) for version in key.published]}
