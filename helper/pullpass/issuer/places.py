"""Where an issuer has its documents, and where others ask it for tokens. Pure."""

from typing import Final
from urllib.parse import unquote, urlsplit

from pullpass.config.issuing import Issuer

_DISCOVERY: Final = "/.well-known/openid-configuration"
_METADATA: Final = "/.well-known/oauth-authorization-server"
_DEFAULT_PORT: Final = ":443"  # which some clients leave out of Host
JWKS: Final = "/jwks"

Place = tuple[str, str]  # host and decoded path


def discovery_places(issuer: Issuer) -> tuple[Place, Place]:
    """Returns where discovery is: below the issuer, and before its path (RFC 8414 §3.1)."""
    host, path = _place(issuer)
    return (host, f"{path}{_DISCOVERY}"), (host, f"{_METADATA}{path}")


def jwks_place(issuer: Issuer) -> Place:
    """Returns where the JWKS is."""
    host, path = _place(issuer)
    return host, f"{path}{JWKS}"


def mint_url(issuer: str, role: str) -> str:
    """Returns the URL at which callers from other hosts ask the issuer of that URL for a token."""
    return f"{issuer}/roles/{role}/mint"


def mint_place(issuer: Issuer, role: str) -> Place:
    """Returns where callers from other hosts ask for a token of role."""
    host, path = _place(issuer)
    return host, f"{path}/roles/{role}/mint"


def host_of(written: str) -> str:
    """Returns the same for every spelling of a host."""
    return written.lower().removesuffix(_DEFAULT_PORT)


def _place(issuer: Issuer) -> Place:
    parts = urlsplit(issuer.issuer)
    return host_of(parts.netloc), unquote(parts.path)
