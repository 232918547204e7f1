"""Keeps issuers' keys: fetched when needed, kept through outages, never asked for in a storm."""

from dataclasses import dataclass, field
from typing import Final

from pullpass.verifier.discovery import KeySet

REFRESH_AFTER: Final = 300.0  # seconds; a rotated key is seen after at most this long
COOL_DOWN: Final = 30.0  # seconds between two attempts, so that an unknown kid makes no storm
MAX_STALE: Final = 24 * 3600.0  # seconds that keys are believed while their issuer is silent


@dataclass(slots=True)
class _Entry:
    keys: KeySet = field(default_factory=dict)
    fetched_at: float = float("-inf")
    tried_at: float = float("-inf")


class KeyCache:
    """The keys of the issuers that are configured: as many entries as there are connections.

    Times are seconds of one monotonic clock, given by the caller.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def keys(self, issuer: str, now: float) -> KeySet:
        """Returns issuer's keys; none if they were never had or are too old to believe."""
        entry = self._entries.get(issuer, _Entry())
        return entry.keys if now - entry.fetched_at < MAX_STALE else {}

    def wants_fetch(self, issuer: str, kid: str, now: float) -> bool:
        """Tells whether to fetch issuer's keys before a token of key kid is judged."""
        entry = self._entries.get(issuer, _Entry())
        if now - entry.tried_at < COOL_DOWN:
            return False
        return kid not in entry.keys or now - entry.fetched_at >= REFRESH_AFTER

    def fetched(self, issuer: str, keys: KeySet, now: float) -> None:
        """Keeps keys that were fetched."""
        self._entries[issuer] = _Entry(keys=keys, fetched_at=now, tried_at=now)

    def failed(self, issuer: str, now: float) -> None:
        """Notes an attempt that failed; the keys at hand stay."""
        self._entries.setdefault(issuer, _Entry()).tried_at = now
