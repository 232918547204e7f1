"""What a minter has around it, in memory: its keys and its audit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pullpass.errors import IdentityError, KeyStoreError
from pullpass.jose import generate_key
from pullpass.keys.transit import ACTIVE, TransitKey, Version


def transit_key(name: str, *states: str) -> TransitKey:
    """Returns a key with one version for each state, by default one that is active."""
    versions = tuple(
        Version(number=number, state=state, created_at=number, key=generate_key())
        for number, state in enumerate(states or (ACTIVE,), start=1)
    )
    return TransitKey(name=name, versions=versions)


@dataclass(frozen=True, slots=True)
class Keys:
    """A KeySource with these keys and no other."""

    held: Mapping[str, TransitKey] = field(default_factory=dict)

    def load(self, name: str) -> TransitKey:
        """Returns the key name."""
        if name not in self.held:
            raise KeyStoreError(f"there is no key {name}")
        return self.held[name]


@dataclass(slots=True, kw_only=True)
class Ledger:
    """An AuditSink that keeps records in their order until it is full."""

    room: int = 100
    records: list[Mapping[str, Any]] = field(default_factory=list)

    def write(self, record: Mapping[str, Any]) -> None:
        """Keeps record."""
        if len(self.records) == self.room:
            raise IdentityError("nothing is minted: the ledger is full")
        self.records.append(record)
