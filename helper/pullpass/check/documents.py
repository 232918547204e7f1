"""The issuer's documents as seen from here, which is not where the registry's side looks from."""

from typing import Final

from pullpass.check.finding import Level, Seen
from pullpass.claims import UnverifiedToken
from pullpass.errors import TokenRefused, TransportError, one_line
from pullpass.http import Transport, run
from pullpass.verifier.discovery import fetch_discovery, fetch_jwks

_FROM_THERE: Final = "the exchange must reach the same documents: try it from a host of its network"
_LISTED: Final = "id_token_signing_alg_values_supported"


def look(token: UnverifiedToken, transport: Transport) -> Seen:
    """Returns whether token's issuer publishes what is needed to believe it.

    Raises:
        TokenRefused: if what it publishes speaks against token.
    """
    issuer, kid = token.text("iss"), token.header_text("kid")
    try:
        document = run(fetch_discovery(issuer), transport)
        _check_name(document.get("issuer"), issuer)
        keys = run(fetch_jwks(issuer, document), transport)
    except TransportError as error:
        return Seen(Level.WARNING, f"seen from here: {error}", _FROM_THERE)
    if kid not in keys:
        raise TokenRefused(
            f"the JWKS of {issuer} does not hold kid {kid or 'at all, which the token lacks'}, so"
            " nobody will believe this token: is the issuer that is served another one?"
        )
    saw = f"seen from here: discovery and JWKS hold kid {kid}"
    algorithm, listed = token.header_text("alg"), document.get(_LISTED)
    if not isinstance(listed, list) or algorithm not in listed:
        advice = (
            f"let {_LISTED} name {algorithm}: zot and others take RS256 alone where it does not"
        )
        return Seen(Level.WARNING, f"{saw}, and the first does not name {algorithm}", advice)
    return Seen(Level.OK, saw)


def _check_name(named: object, issuer: str) -> None:
    """Holds OpenID Connect Discovery 1.0 §4.3. Raises: TokenRefused."""
    if named != issuer:
        raise TokenRefused(
            f"seen from here: the discovery document of {issuer} names the issuer"
            f" {one_line(str(named))}: both must be the same to the byte"
        )
