"""Fetches an issuer's keys by OpenID Connect Discovery 1.0 §4."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from pullpass.errors import TransportError
from pullpass.http import Flow, Request, Response
from pullpass.jose import PublicKey
from pullpass.relying import read_jwk

MAX_DOCUMENT: Final = 100 * 1024  # bytes; twice what the largest public issuer serves
MAX_KEYS: Final = 100

KeySet = Mapping[str, PublicKey]


def fetch_keys(issuer: str) -> Flow[KeySet]:
    """Yields the requests for issuer's keys and returns them by kid.

    Keys without kid, of unknown kinds or not for signatures are left out (RFC 7517 §5).

    Raises:
        TransportError: if a document cannot be had, or is not what it should be.
    """
    document = yield from fetch_discovery(issuer)
    if document.get("issuer") != issuer:
        raise TransportError(
            f"issuer {issuer}: its discovery document names another issuer: configure exactly the"
            " issuer that it names"
        )
    return (yield from fetch_jwks(issuer, document))


def fetch_discovery(issuer: str) -> Flow[Mapping[str, Any]]:
    """Yields the request for issuer's discovery document and returns it, whoever it names.

    Raises:
        TransportError: if it cannot be had.
    """
    return _read((yield _get(f"{issuer}/.well-known/openid-configuration")), issuer)


def fetch_jwks(issuer: str, document: Mapping[str, Any]) -> Flow[KeySet]:
    """Yields the request for the keys that a discovery document of issuer leads to.

    Raises:
        TransportError: if they cannot be had.
    """
    where = document.get("jwks_uri")
    if not isinstance(where, str) or not _same_security(where, issuer):
        raise TransportError(f"issuer {issuer}: its jwks_uri is not an https URL")
    return _keys(_read((yield _get(where)), issuer), issuer)


def _get(url: str) -> Request:
    return Request(
        method="GET", url=url, headers={"Accept": "application/json"}, max_body=MAX_DOCUMENT
    )


def _same_security(url: str, issuer: str) -> bool:
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return False
    return scheme == "https" or (scheme == "http" and issuer.startswith("http://"))


def _read(response: Response, issuer: str) -> Mapping[str, Any]:
    if response.status != 200:
        raise TransportError(
            f"issuer {issuer}: its documents answer with status {response.status}, needs 200"
        )
    try:
        value = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise TransportError(f"issuer {issuer}: its documents are not JSON") from error
    if not isinstance(value, dict):
        raise TransportError(f"issuer {issuer}: its documents are not JSON objects")
    return value


def _keys(document: Mapping[str, Any], issuer: str) -> KeySet:
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise TransportError(f"issuer {issuer}: its JWKS has no list of at most {MAX_KEYS} keys")
    found: dict[str, PublicKey] = {}
    for jwk in listed:
        kid = jwk.get("kid") if isinstance(jwk, dict) else None
        key = read_jwk(jwk) if isinstance(kid, str) and kid else None
        if key is not None:
            found[str(kid)] = key
    if not found:
        raise TransportError(f"issuer {issuer}: its JWKS holds no usable key")
    return found
