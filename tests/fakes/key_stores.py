"""A key store in memory, which several processes could share, and what it saw."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pullpass.errors import KeyStoreError
from pullpass.http import Flow
from pullpass.keys.file import new_version
from pullpass.keys.store import Held
from pullpass.keys.transit import TransitKey, Version
from pullpass.secret import Secret


@dataclass(slots=True)
class MemoryTexts:
    """A SecretStore."""

    kept: dict[str, Secret] = field(default_factory=dict)

    def load(self, name: str) -> Secret | None:
        """Returns what rests under name."""
        return self.kept.get(name)

    def save(self, name: str, text: Secret) -> None:
        """Keeps text."""
        self.kept[name] = text

    def erase(self, name: str) -> None:
        """Forgets what rests under name."""
        self.kept.pop(name, None)


@dataclass(slots=True)
class MemoryKeyStore:
    """A KeyStore. ``changed`` is told of every key that it keeps."""

    changed: Callable[[TransitKey], None] = lambda _: None
    kept: dict[str, Held] = field(default_factory=dict)
    broken: bool = False

    def read(self, name: str) -> Flow[Held]:
        """Returns the key name."""
        yield from ()
        if self.broken:
            raise KeyStoreError("the store cannot be reached")
        if name not in self.kept:
            raise KeyStoreError(f"there is no key {name}")
        return self.kept[name]

    def is_current(self, held: Held) -> bool:
        """Tells whether held is what is kept."""
        return self.kept.get(held.key.name) is held

    def create(self, key: TransitKey) -> Flow[bool]:
        """Keeps a new key."""
        yield from ()
        if key.name in self.kept:
            return False
        self._keep(key)
        return True

    def swap(self, held: Held, key: TransitKey) -> Flow[bool]:
        """Keeps key instead of held."""
        yield from ()
        if self.broken:
            raise KeyStoreError("the store cannot be reached")
        if self.kept[key.name].revision != held.revision:
            return False
        self._keep(key)
        return True

    def make(self, name: str, type_: str, after: int, now: int) -> Flow[Version]:
        """Returns a version of its own."""
        yield from ()
        assert name
        return new_version(type_, after + 1, now)

    def _keep(self, key: TransitKey) -> None:
        self.changed(key)
        before = self.kept.get(key.name)
        number = int(before.revision) + 1 if before else 0
        self.kept[key.name] = Held(key=key, revision=str(number), stamp=number)
