"""Credentials kept in memory, to be given again to whoever asks the same."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

from pullpass.credential import Credential

MIN_LEFT: Final = 300  # seconds; buildkit keeps a helper's answer for 4m50s
CAPACITY: Final = 1024  # credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A credential that was had, and how it came about.

    Attributes:
        entry: the dotted key of the entry that answered.
        minted_at: of its identity, Unix seconds.
        token_id: the ``jti`` of that identity.
        fingerprint: the SHA-256 of that identity, which is kept nowhere.
        reused: whether somebody was given it before.
    """

    credential: Credential
    entry: str
    minted_at: float
    token_id: str
    fingerprint: str
    reused: bool = False


@dataclass(slots=True, kw_only=True)
class Kept:
    """Grants by all that decided them. One without an expiry is not kept.

    Attributes:
        now: the clock, Unix seconds.
    """

    now: Callable[[], float]
    _grants: OrderedDict[Hashable, tuple[Grant, float]] = field(default_factory=OrderedDict)

    def get(self, key: Hashable) -> Grant | None:
        """Returns the grant of key while it may be given again."""
        self._purge()
        found = self._grants.get(key)
        return found[0] if found else None

    def put(self, key: Hashable, grant: Grant, reuse: int) -> None:
        """Keeps grant for reuse seconds after it was minted, but not into its last five minutes."""
        self._purge()
        expires_at = grant.credential.expires_at
        if expires_at is None:
            return
        until = min(grant.minted_at + reuse, expires_at - MIN_LEFT)
        if grant.minted_at <= self.now() < until:
            self._grants[key] = grant, until
        while len(self._grants) > CAPACITY:
            self._grants.popitem(last=False)

    def drop(self, key: Hashable) -> None:
        """Forgets the grant of key."""
        self._grants.pop(key, None)

    def _purge(self) -> None:
        """Forgets what is over, or from a time that the clock was set back before."""
        now = self.now()
        over = [
            key
            for key, (grant, until) in self._grants.items()
            if not grant.minted_at <= now < until
        ]
        for key in over:
            del self._grants[key]
