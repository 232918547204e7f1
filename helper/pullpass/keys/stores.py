"""Finds the store of each configured key."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pullpass.config.issuing import KeySettings, Passphrase
from pullpass.config.model import Config
from pullpass.errors import KeyStoreError
from pullpass.keys.file import FileKeyStore
from pullpass.keys.openbao import OpenBaoKeyStore
from pullpass.keys.source import Keys
from pullpass.keys.store import KeyStore
from pullpass.secret import Secret

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"  # systemd.exec(5), LoadCredential=
MIN_PASSPHRASE: Final = 20  # characters; whoever has the file can try as often as they like
MAX_PASSPHRASE: Final = 1024  # bytes


def keys_of(config: Config) -> Keys:
    """Returns the keys of config, each in its store. Nothing is opened yet."""
    stores = {name: _store(config, settings) for name, settings in config.keys.items()}
    return Keys(settings=config.keys, stores=stores)


def _store(config: Config, settings: KeySettings) -> KeyStore:
    if settings.openbao:
        return OpenBaoKeyStore(settings=settings.openbao)
    return FileKeyStore(
        directory=config.state_dir / "keys", passphrase=_passphrase(settings.passphrase)
    )


def _passphrase(
    settings: Passphrase | None, environ: Mapping[str, str] = os.environ
) -> Callable[[], Secret | None]:
    if settings is None:
        return lambda: None
    return lambda: read_credential(settings.credential, environ)


def read_credential(name: str, environ: Mapping[str, str]) -> Secret:
    """Returns a passphrase that systemd gives this service.

    Raises:
        KeyStoreError: if it gives none of that name, or one that is too short.
    """
    directory = environ.get(CREDENTIALS)
    if not directory:
        raise KeyStoreError(
            f"the passphrase {name} is a systemd credential and there are none here: start this as"
            f" a service with LoadCredentialEncrypted={name}, or with `systemd-run`"
        )
    path = Path(directory, name)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_PASSPHRASE + 1)
        text = raw.decode().removesuffix("\n")
    except OSError as error:
        raise KeyStoreError(f"the passphrase {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise KeyStoreError(f"the passphrase {path} is not text: encode it") from error
    if not MIN_PASSPHRASE <= len(text) <= MAX_PASSPHRASE:
        raise KeyStoreError(
            f"the passphrase {name} does not have {MIN_PASSPHRASE} to {MAX_PASSPHRASE} characters:"
            " `openssl rand -base64 32` makes one"
        )
    return Secret(text)
