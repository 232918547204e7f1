"""Where transit keys rest: the seam that all backends share."""

from dataclasses import dataclass
from typing import Final, Protocol

from pullpass.http import Flow
from pullpass.keys.transit import TransitKey, Version

FRESH: Final = 10.0  # seconds that a key is used without a look where looking takes long


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A key as a store had it.

    Attributes:
        revision: what ``swap`` compares.
        stamp: what ``is_current`` compares.
    """

    key: TransitKey
    revision: str
    stamp: object


class KeyStore(Protocol):
    """Keeps the versions of transit keys and their states.

    Every change is compare-and-swap: of several processes that share a store one succeeds, and the
    others see its change. A change is there whole or not at all, whenever a process dies.
    All of it raises KeyStoreError alone.
    """

    def read(self, name: str) -> Flow[Held]:
        """Returns the key name. Raises: KeyStoreError, also if there is none."""

    def is_current(self, held: Held) -> bool:
        """Tells, without a request, whether held may still be used as it is."""

    def create(self, key: TransitKey) -> Flow[bool]:
        """Keeps a new key. Returns False, and changes nothing, if there is one of its name."""

    def swap(self, held: Held, key: TransitKey) -> Flow[bool]:
        """Keeps key instead of held. Returns False if somebody else changed it first."""

    def make(self, name: str, type_: str, after: int, now: int) -> Flow[Version]:
        """Returns a version numbered above after; it lasts once ``create`` or ``swap`` has it."""
