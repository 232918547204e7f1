"""Judges a token against an issuer that is trusted. Pure.

Order: shape, kid, algorithm, signature, issuer, audience, times. Members of the header that name
keys (``jku``, ``x5u``, ``jwk``, ``x5c``) are never looked at: RFC 8725 §3.10.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from pullpass.claims import VerifiedClaims, audiences_of, read_token
from pullpass.errors import TokenRefused
from pullpass.relying import verify as verify_signature
from pullpass.secret import Secret
from pullpass.verifier.discovery import KeySet

LEEWAY: Final = 60  # seconds that two clocks may differ
MAX_LIFETIME: Final = 24 * 3600  # seconds; a workload identity is short-lived
EXCHANGE_TYPE: Final = "pullpass-exchange+jwt"  # our own credentials, never somebody's identity
MAX_SUBJECT: Final = 2048  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom to believe, and about what.

    Attributes:
        issuer: the exact ``iss``.
        audiences: the token must name one of them.
        algorithms: JWS algorithms that the issuer may use.
    """

    issuer: str
    audiences: Collection[str]
    algorithms: Collection[str]


def verify(token: Secret, trust: Trust, keys: KeySet, now: float) -> VerifiedClaims:
    """Returns the claims of token. Now is Unix seconds.

    Raises:
        InvalidToken: if token is not a JWT.
        TokenRefused: naming the first check that failed, with the claims that decided it.
    """
    unverified = read_token(token.reveal())
    kid = unverified.header_text("kid")
    if unverified.header_text("typ") == EXCHANGE_TYPE:
        raise TokenRefused("it is an exchanged credential, not an identity")
    if "crit" in unverified.header:  # RFC 7515 §4.1.11; not every PyJWT that we take refuses it
        raise TokenRefused("its crit asks for an extension that is not known here")
    key = keys.get(kid)
    if key is None:
        raise TokenRefused(f"issuer {trust.issuer} publishes no key of its kid")
    claims = verify_signature(token, key, trust.algorithms)
    if claims.get("iss") != trust.issuer:
        raise TokenRefused(f"its iss is not exactly {trust.issuer}")
    audiences = audiences_of(claims)
    if not set(audiences) & set(trust.audiences):
        wanted = " or ".join(sorted(trust.audiences))
        raise TokenRefused(f"its aud is {' and '.join(audiences) or 'missing'}, needs {wanted}")
    check_times(claims, now)
    return VerifiedClaims(
        issuer=trust.issuer,
        subject=_subject(claims),
        audiences=audiences,
        expires_at=claims["exp"],
        token_id=_text(claims, "jti"),
        every=claims,
    )


def check_times(claims: dict[str, Any], now: float) -> None:
    """Holds that now is within the life of claims, give or take the leeway.

    Raises:
        TokenRefused: naming the claim, and by how much the clocks seem to differ.
    """
    expires, starts, issued = (claims.get(name) for name in ("exp", "nbf", "iat"))
    if type(expires) is not int:
        raise TokenRefused("it has no exp")
    if now >= expires + LEEWAY:
        raise TokenRefused(
            f"it expired {int(now - expires)}s ago by this clock: compare the clocks"
        )
    for name, value in (("nbf", starts), ("iat", issued)):
        if type(value) is int and value > now + LEEWAY:
            early = int(value - now)
            raise TokenRefused(f"its {name} is {early}s ahead of this clock: compare the clocks")
    if expires - (issued if type(issued) is int else now) > MAX_LIFETIME:
        raise TokenRefused(f"it lives longer than {MAX_LIFETIME}s")


def _subject(claims: dict[str, Any]) -> str:
    subject = _text(claims, "sub")
    if not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        raise TokenRefused("it has no usable sub")
    return subject


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
