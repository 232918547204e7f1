"""Credentials kept in memory, to be given again to whoever asks the same."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

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
        until: when it is given again no more, Unix seconds.
        reused: whether somebody was given it before.
    """

    credential: Credential
    entry: str
    minted_at: float
    token_id: str
    fingerprint: str
    until: float = 0.0
    reused: bool = False


def reusable_until(credential: Credential, minted_at: float, reuse: int) -> float:
    """Returns when credential is given again no more: reuse seconds after it was minted at most.

    Nor is it in its last five minutes, or at all if nobody dated it.
    """
    if credential.expires_at is None:
        return 0.0
    return min(minted_at + reuse, credential.expires_at - MIN_LEFT)


class Reusable(Protocol):
    """What can be given again from when it was minted until a time, in Unix seconds."""

    @property
    def minted_at(self) -> float:
        """Returns since when."""

    @property
    def until(self) -> float:
        """Returns until when."""


G = TypeVar("G", bound=Reusable)


@dataclass(slots=True, kw_only=True)
class Kept(Generic[G]):
    """Grants by all that decided them.

    Attributes:
        now: the clock, Unix seconds.
    """

    now: Callable[[], float]
    _grants: OrderedDict[Hashable, G] = field(default_factory=OrderedDict)

    def get(self, key: Hashable) -> G | None:
        """Returns the grant of key while it may be given again."""
        self._purge()
        return self._grants.get(key)

    def put(self, key: Hashable, grant: G) -> None:
        """Keeps grant as long as it may be given again."""
        self._purge()
        if self._is_good(grant):
            self._grants[key] = grant
        while len(self._grants) > CAPACITY:
            self._grants.popitem(last=False)

    def drop(self, key: Hashable) -> None:
        """Forgets the grant of key."""
        self._grants.pop(key, None)

    def _is_good(self, grant: G) -> bool:
        return grant.minted_at <= self.now() < grant.until

    def _purge(self) -> None:
        """Forgets what is over, or from a time that the clock was set back before."""
        over = [key for key, grant in self._grants.items() if not self._is_good(grant)]
        for key in over:
            del self._grants[key]
