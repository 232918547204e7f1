"""What a minter has around it, in memory: its keys and its audit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pullpass.errors import IdentityError, KeyStoreError
from pullpass.http import Flow
from pullpass.jose import PrivateKey, generate_key
from pullpass.keys.source import check_frozen
from pullpass.keys.transit import State, TransitKey, Version


def transit_key(name: str, *states: str, type_: str = "ecdsa-p256") -> TransitKey:
    """Returns a key with one version for each state, by default one that is active."""
    versions = tuple(
        version(number, state, generate_key(type_))
        for number, state in enumerate(states or ("active",), start=1)
    )
    return TransitKey(name=name, type=type_, versions=versions)


def version(number: int, state: str, key: PrivateKey, at: int = 0) -> Version:
    """Returns a version that came into its state at that time."""
    return Version(
        number=number,
        state=State(state),
        created_at=at,
        since=at,
        public=key.public,
        key=key,
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """A KeySource with these keys and no other."""

    held: Mapping[str, TransitKey] = field(default_factory=dict)

    def load(self, name: str) -> Flow[TransitKey]:
        """Returns the key name."""
        yield from ()
        if name not in self.held:
            raise KeyStoreError(f"there is no key {name}")
        return self.held[name]

    def freeze(self, key: TransitKey, issuer: str, url: str) -> Flow[None]:
        """Holds that the issuer has no other URL."""
        yield from ()
        check_frozen(key, issuer, url)


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
