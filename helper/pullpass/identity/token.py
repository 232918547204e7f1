"""A token that is shown, and what it says of itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pullpass.claims import UnverifiedToken, audiences_of, read_token
from pullpass.errors import IdentityError
from pullpass.http import MAX_SKEW
from pullpass.secret import Secret

_OPAQUE: Final = UnverifiedToken(header={}, claims={})


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectToken:
    """A token to be shown at an exchange.

    Attributes:
        source: where it comes from.
        said: what it says, believed by nobody yet; empty where it is no JWT.
        expires_at: Unix seconds, None where nobody says.
    """

    token: Secret = field(repr=False)
    source: str
    said: UnverifiedToken = field(default=_OPAQUE, repr=False)
    expires_at: float | None = None


def read_jwt(token: str, source: str) -> SubjectToken:
    """Returns the JWT token as one to be shown.

    Raises:
        InvalidToken: if it is none.
    """
    said = read_token(token)
    return SubjectToken(
        token=Secret(token), source=source, said=said, expires_at=said.claims.get("exp")
    )


def checked(identity: SubjectToken, audience: str, now: float) -> SubjectToken:
    """Returns identity, a JWT, once it was seen to be for audience and good now.

    Raises:
        IdentityError: if it is not, which names what to mend.
        InvalidToken: if its aud cannot be read.
    """
    named = audiences_of(identity.said.claims)
    if audience not in named:
        raise IdentityError(
            f"its token is for {_listed(named)} and {audience} is wanted, so it is shown to nobody:"
            " let the platform give one for that, or see which parameters the provider and the"
            " identity have for audiences"
        )
    _check_times(identity.said.claims, now)
    return identity


def _listed(audiences: tuple[str, ...]) -> str:
    return ", ".join(audiences) or "nobody"


def _check_times(claims: Mapping[str, int], now: float) -> None:
    expires, begins = claims.get("exp"), claims.get("nbf", claims.get("iat", 0))
    if expires is not None and expires <= now:
        raise IdentityError(
            f"its token expired {now - expires:.0f}s ago: let the platform give a new one, and"
            " check the clock of this host"
        )
    if begins > now + MAX_SKEW:
        raise IdentityError(
            f"its token is not valid for another {begins - now:.0f}s: check the clock of this host"
        )
