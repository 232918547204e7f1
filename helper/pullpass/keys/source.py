"""The transit keys of a configuration, wherever they rest. Whoever looks at one carries it on.

Every process that mints or serves looks here, so any of them makes the change that is due, and
compare-and-swap lets one of them win. A look at a key that did not change costs two ``stat``.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pullpass.config.issuing import KeySettings
from pullpass.errors import KeyStoreError
from pullpass.http import Flow
from pullpass.keys.rotation import add, advance, due, wants_version
from pullpass.keys.store import Held, KeyStore
from pullpass.keys.transit import State, TransitKey, Version

TRIES: Final = 5  # against others who change the same key
RETRY: Final = 60.0  # seconds until a change that failed is tried again

Edit = Callable[[TransitKey, Version | None], TransitKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The configured keys. A KeySource.

    Attributes:
        settings: by name.
        stores: where each key rests, by name.
        now: the clock, Unix seconds.
    """

    settings: Mapping[str, KeySettings]
    stores: Mapping[str, KeyStore]
    now: Callable[[], float] = time.time
    _held: dict[str, Held] = field(default_factory=dict, init=False, repr=False)
    _due: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    def load(self, name: str) -> Flow[TransitKey]:
        """Returns the key name as it is now, after every change that is due.

        A change that fails is tried again later, and the key stays good as it is.

        Raises:
            KeyStoreError: if it cannot be had.
        """
        held = self._held.get(name)
        if held is None or not self._store(name).is_current(held):
            held = yield from self._read(name)
        if self.now() < self._due[name]:
            return held.key
        try:
            return (yield from self.change(name, self._progress, self._wants_version))
        except KeyStoreError as error:
            self._due[name] = self.now() + RETRY
            logging.getLogger(__name__).warning("key %s cannot be carried on: %s", name, error)
            return held.key

    def look(self, name: str) -> Flow[TransitKey]:
        """Returns the key name as it is, and changes nothing. Raises: KeyStoreError."""
        return (yield from self._read(name)).key

    def freeze(self, key: TransitKey, issuer: str, url: str) -> Flow[None]:
        """Notes that the issuer of that name signs with key as url, and ever will.

        Raises:
            KeyStoreError: if it has another URL already, or that cannot be noted.
        """
        if key.issuers.get(issuer) == url:
            return
        check_frozen(key, issuer, url)

        def edit(found: TransitKey, _: Version | None) -> TransitKey:
            check_frozen(found, issuer, url)
            return replace(found, issuers={**found.issuers, issuer: url})

        yield from self.change(key.name, edit)

    def create(self, name: str) -> Flow[TransitKey]:
        """Returns a new key with one active version.

        Raises:
            KeyStoreError: if there is one of that name, or it cannot be kept.
        """
        now = int(self.now())
        type_ = self.settings[name].type
        made = yield from self._store(name).make(name, type_, 0, now)
        key = TransitKey(name=name, type=type_, versions=(replace(made, state=State.ACTIVE),))
        if not (yield from self._store(name).create(key)):
            raise KeyStoreError(f"there is a key {name} already: `pullpass key rotate` renews it")
        return key

    def change(
        self, name: str, edit: Edit, wants: Callable[[TransitKey], bool] = lambda _: False
    ) -> Flow[TransitKey]:
        """Returns the key name after edit, which is given a new version where wants says so.

        Raises:
            KeyStoreError: as edit, or if the store does not keep it.
        """
        store = self._store(name)
        for _ in range(TRIES):
            held = yield from self._read(name)
            made = None
            if wants(held.key):
                newest = max(version.number for version in held.key.versions)
                made = yield from store.make(name, held.key.type, newest, int(self.now()))
            key = edit(held.key, made)
            if key is held.key:
                return key
            if (yield from store.swap(held, key)):
                return (yield from self._read(name)).key
        raise KeyStoreError(f"key {name} is being changed by others all the time: try again")

    def _progress(self, key: TransitKey, made: Version | None) -> TransitKey:
        settings, now = self.settings[key.name], self.now()
        key = advance(key, settings, now)
        return add(key, made, static=settings.static, now=now) if made else key

    def _wants_version(self, key: TransitKey) -> bool:
        settings, now = self.settings[key.name], self.now()
        return wants_version(advance(key, settings, now), settings, now)

    def _read(self, name: str) -> Flow[Held]:
        held = yield from self._store(name).read(name)
        settings = self.settings[name]
        if held.key.type != settings.type:
            raise KeyStoreError(
                f"key {name} is of type {held.key.type} and keys.{name}.type says {settings.type}:"
                " put it back, or make a key of another name"
            )
        self._held[name] = held
        self._due[name] = due(held.key, settings)
        return held

    def _store(self, name: str) -> KeyStore:
        if name not in self.stores:
            raise KeyStoreError(f"there is no key {name} in the configuration: add [keys.{name}]")
        return self.stores[name]


def check_frozen(key: TransitKey, issuer: str, url: str) -> None:
    """Holds that an issuer keeps the URL by which others know it.

    Raises:
        KeyStoreError: if it signed as another.
    """
    before = key.issuers.get(issuer, url)
    if before != url:
        raise KeyStoreError(
            f"issuer {issuer} has signed as {before}, which others trust: set its URL back, or give"
            " the new one a name of its own"
        )
