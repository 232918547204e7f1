"""Transit keys in the keyring of a person's desktop: one document a key.

A keyring knows no compare-and-swap, so that a lock on this host stands in for it: a keyring is for
one person on one host.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from pullpass.errors import KeyStoreError, StoreError
from pullpass.http import Flow
from pullpass.keys import document
from pullpass.keys.file import new_version
from pullpass.keys.store import FRESH, Held
from pullpass.keys.transit import TransitKey, Version
from pullpass.lock import locked
from pullpass.store.stores import SecretStore

_UNDER: Final = "transit-key/"  # beside other secrets of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringKeyStore:
    """The transit keys in a keyring. A KeyStore which asks nobody over a network.

    Attributes:
        texts: the keyring.
        directory: on this host, locked for the length of a change.
        monotonic: a clock that nobody sets, in seconds.
    """

    texts: SecretStore
    directory: Path
    monotonic: Callable[[], float] = time.monotonic

    def read(self, name: str) -> Flow[Held]:
        """Returns the key name. Raises: KeyStoreError."""
        yield from ()
        return self._held(name)

    def is_current(self, held: Held) -> bool:
        """Tells whether somebody looked a moment ago."""
        return isinstance(held.stamp, float) and self.monotonic() - held.stamp < FRESH

    def create(self, key: TransitKey) -> Flow[bool]:
        """Keeps a new key. Raises: KeyStoreError."""
        yield from ()
        with self._changing(key.name):
            if self.texts.load(_UNDER + key.name) is not None:
                return False
            self.texts.save(_UNDER + key.name, document.write(key))
        return True

    def swap(self, held: Held, key: TransitKey) -> Flow[bool]:
        """Keeps key instead of held. Raises: KeyStoreError."""
        yield from ()
        with self._changing(key.name):
            if self._held(key.name).revision != held.revision:
                return False
            self.texts.save(_UNDER + key.name, document.write(key))
        return True

    def make(self, name: str, type_: str, after: int, now: int) -> Flow[Version]:  # noqa: ARG002 - other stores make it under its name
        """Returns a version with a new private half."""
        yield from ()
        return new_version(type_, after + 1, now)

    def _held(self, name: str) -> Held:
        try:
            text = self.texts.load(_UNDER + name)
        except StoreError as error:
            raise KeyStoreError(f"key {name}: {error}") from error
        if text is None:
            raise KeyStoreError(
                f"there is no key {name}: make it with `pullpass key create {name}`"
            )
        raw = text.reveal().encode(errors="replace")
        key = document.read(name, raw, f"key {name} in the keyring")
        return Held(key=key, revision=sha256(raw).hexdigest(), stamp=self.monotonic())

    @contextmanager
    def _changing(self, name: str) -> Iterator[None]:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.directory):
                yield
        except StoreError as error:
            raise KeyStoreError(f"key {name}: {error}") from error
        except OSError as error:
            raise KeyStoreError(f"{self.directory} cannot be locked: {error.strerror}") from error
