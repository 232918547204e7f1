"""What relying parties read: the discovery document and the JWKS. Pure."""

from typing import Any

from pullpass.config.model import Issuer
from pullpass.jose import ALGORITHM
from pullpass.keys.transit import TransitKey


def discovery(issuer: Issuer) -> dict[str, Any]:
    """Returns the document of OpenID Connect Discovery 1.0 §3.

    It has no ``authorization_endpoint``, as with other issuers that serve workloads alone.
    """
    return {
        "issuer": issuer.issuer,
        "jwks_uri": f"{issuer.issuer}/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"],
    }


def jwks(key: TransitKey) -> dict[str, Any]:
    """Returns the public halves of key's published versions (RFC 7517 §5)."""
    return {"keys": [version.key.public.jwk(version.kid) for version in key.published]}
