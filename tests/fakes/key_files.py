"""Transit keys in files, as commands make them and for tests to look at."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from fakes.settings import refusal_of
from pullpass.config.issuing import KeySettings
from pullpass.errors import KeyStoreError
from pullpass.http import Flow, Offline, run
from pullpass.keys.file import FileKeyStore
from pullpass.keys.source import Keys
from pullpass.keys.transit import TransitKey

NOW: Final = 1_800_000_000.75

T = TypeVar("T")


def local(flow: Flow[T]) -> T:
    """Returns what flow returns, which asks nobody."""
    return run(flow, Offline())


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFiles:
    """Transit keys under one directory."""

    directory: Path
    now: Callable[[], float] = time.time

    def create(self, name: str, type_: str = "ecdsa-p256") -> TransitKey:
        """Makes a key."""
        return local(self.keys(key_settings(name, type_)).create(name))

    def load(self, name: str) -> TransitKey:
        """Returns the key name as it is."""
        return local(FileKeyStore(directory=self.directory).read(name)).key

    def keys(self, settings: KeySettings) -> Keys:
        """Returns the one key of these settings, with all that happens to it by itself."""
        store = FileKeyStore(directory=self.directory)
        return Keys(settings={settings.name: settings}, stores={settings.name: store}, now=self.now)


def refusal(store: KeyFiles, name: str = "k") -> str:
    """Returns why the key name cannot be had."""
    try:
        store.load(name)
    except KeyStoreError as error:
        return refusal_of(error)
    raise AssertionError("the key was loaded")


def key_settings(
    name: str = "k",
    type_: str = "ecdsa-p256",
    *,
    rotate_every: int = 0,
    publish_lead: int = 86400,
    retire_grace: int = 4200,
    static: bool = False,
) -> KeySettings:
    """Returns the settings of a key in files, by default one that is rotated by hand."""
    return KeySettings(
        name=name,
        type=type_,
        backend="file",
        rotate_every=rotate_every,
        publish_lead=publish_lead,
        retire_grace=retire_grace,
        static=static,
    )
