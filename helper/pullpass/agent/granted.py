"""A credential as the agent gave it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pullpass.credential import Credential
from pullpass.secret import Secret

_MAX_TIME: Final = 253_402_300_799  # Unix seconds; the end of the year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A credential that the agent gave.

    Attributes:
        reused: whether an earlier pull was given it too.
        minted_at: when its identity was minted, Unix seconds.
        until: when the agent gives it again no more, Unix seconds.
    """

    credential: Credential
    reused: bool
    minted_at: float
    until: float = 0.0


def granted_of(found: Mapping[str, Any]) -> Granted:
    """Returns what a reply to ``resolve`` gives. Raises: KeyError, TypeError."""
    username, secret, reused = found["username"], found["secret"], found["reused"]
    texts = isinstance(username, str) and isinstance(secret, str) and bool(secret)
    if not (texts and isinstance(reused, bool)):
        raise TypeError("not a credential")
    expires_at = found["expires_at"]
    return Granted(
        credential=Credential(
            username=username,
            secret=Secret(secret),
            expires_at=None if expires_at is None else _seconds(expires_at),
        ),
        reused=reused,
        minted_at=_seconds(found["minted_at"]),
        until=_seconds(found.get("until", 0)),  # an agent before its upgrade does not say it
    )


def _seconds(value: Any) -> float:
    if type(value) not in {int, float} or not 0 <= value <= _MAX_TIME:
        raise TypeError("not a time")
    return float(value)
