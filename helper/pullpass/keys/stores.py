"""Finds the store of each configured key."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pullpass.config.issuing import KeySettings, Passphrase
from pullpass.config.model import Config
from pullpass.errors import KeyStoreError, StoreError
from pullpass.keys.file import FileKeyStore
from pullpass.keys.keyring import KeyringKeyStore
from pullpass.keys.openbao import OpenBaoKeyStore
from pullpass.keys.source import Keys
from pullpass.keys.store import KeyStore
from pullpass.secret import Secret
from pullpass.store.keyring import Keyring
from pullpass.store.stores import SecretStore
from pullpass.store.systemd import VARIABLE, SystemdCredentials

MIN_PASSPHRASE: Final = 20  # characters; whoever has the file can try as often as they like
MAX_PASSPHRASE: Final = 1024


def keys_of(config: Config, environ: Mapping[str, str] = os.environ) -> Keys:
    """Returns the keys of config, each in its store. Nothing is opened yet."""
    directory = config.state_dir / "keys"
    stores = {name: _store(directory, found, environ) for name, found in config.keys.items()}
    return Keys(settings=config.keys, stores=stores)


def _store(directory: Path, settings: KeySettings, environ: Mapping[str, str]) -> KeyStore:
    if settings.openbao:
        return OpenBaoKeyStore(settings=settings.openbao)
    if settings.backend == "keyring":
        return KeyringKeyStore(texts=Keyring(), directory=directory)
    return FileKeyStore(directory=directory, passphrase=_passphrase(settings.passphrase, environ))


def _passphrase(
    settings: Passphrase | None, environ: Mapping[str, str]
) -> Callable[[], Secret | None]:
    if settings is None:
        return lambda: None
    if settings.keyring:
        return lambda: read_passphrase(settings.keyring, Keyring())
    given = environ.get(VARIABLE)
    systemd = SystemdCredentials(directory=Path(given) if given else None)
    return lambda: read_passphrase(settings.credential, systemd)


def read_passphrase(name: str, store: SecretStore) -> Secret:
    """Returns the passphrase that rests in store under name.

    Raises:
        KeyStoreError: if there is none, or one that is too short.
    """
    try:
        found = store.load(name)
    except StoreError as error:
        raise KeyStoreError(f"passphrase {name}: {error}") from error
    if found is None:
        raise KeyStoreError(f"passphrase {name}: there is none of that name: store it first")
    text = found.reveal().removesuffix("\n")
    if not MIN_PASSPHRASE <= len(text) <= MAX_PASSPHRASE:
        raise KeyStoreError(
            f"passphrase {name}: does not have {MIN_PASSPHRASE} to {MAX_PASSPHRASE} characters:"
            " `openssl rand -base64 32` makes one"
        )
    return Secret(text)
