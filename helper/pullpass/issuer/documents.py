"""What relying parties read: the discovery document and the JWKS. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from pullpass.config.issuing import Issuer, KeySettings
from pullpass.issuer.caller import node_keys
from pullpass.issuer.places import JWKS
from pullpass.jose import PublicKey
from pullpass.keys.transit import TransitKey

_DISCOVERY_AGE: Final = 3600  # seconds

_NONE: Final[Mapping[str, PublicKey]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as it is published.

    Attributes:
        kind: ``discovery`` or ``jwks``.
        etag: changes with the body (RFC 9110 §8.8.3).
        cache_control: how long others may keep it.
    """

    kind: str
    body: bytes
    etag: str
    cache_control: str


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


def jwks(
    key: TransitKey, algorithm: str = "", nodes: Mapping[str, PublicKey] = _NONE
) -> dict[str, Any]:
    """Returns the public halves of key's published versions (RFC 7517 §5), and of nodes by kid."""
    shown = {version.kid: version.public for version in key.published} | dict(nodes)
    return {"keys": [public.jwk(kid, algorithm) for kid, public in shown.items()]}


def discovery_document(issuer: Issuer) -> Document:
    """Returns issuer's discovery document as it is published."""
    return _document("discovery", discovery(issuer), f"public, max-age={_DISCOVERY_AGE}")


def jwks_document(issuer: Issuer, key: TransitKey, settings: KeySettings) -> Document:
    """Returns issuer's JWKS as it is published, with the keys of nodes that mint by themselves.

    Where its server cannot be had a cache may go on for as long as no version that it does not
    know can sign.
    """
    stale = settings.publish_lead - issuer.jwks_max_age
    control = f"public, max-age={issuer.jwks_max_age}, stale-if-error={stale}"
    nodes = {kid: public for kid, (node, public) in node_keys(issuer).items() if node.offline}
    return _document("jwks", jwks(key, issuer.algorithm, nodes), control)


def _document(kind: str, content: Mapping[str, Any], cache_control: str) -> Document:
    body = json.dumps(content, separators=(",", ":")).encode()
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    return Document(kind=kind, body=body, etag=etag, cache_control=cache_control)
