"""Transit keys in files: one JSON document a key, 0600 in a directory 0700.

Private halves are written unencrypted, so the mode is checked on every read.
"""

import json
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Final

from pullpass.errors import KeyStoreError
from pullpass.jose import generate_key, load_private_key
from pullpass.keys.transit import ACTIVE, TransitKey, Version
from pullpass.secret import Secret

MAX_FILE: Final = 1 << 16  # bytes; five versions need 2 kB
TYPE: Final = "ecdsa-p256"
STATES: Final = frozenset(
    {"created", "published", ACTIVE, "retiring", "retired", "destroyed", "compromised"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKeyStore:
    """The transit keys under one directory.

    Attributes:
        directory: made with mode 0700 when the first key is created.
        now: the clock, Unix seconds.
    """

    directory: Path
    now: Callable[[], float] = time.time

    def create(self, name: str) -> TransitKey:
        """Creates a key with one active version and returns it.

        Raises:
            KeyStoreError: if there is one of that name, or the files cannot be written.
        """
        version = Version(number=1, state=ACTIVE, created_at=int(self.now()), key=generate_key())
        key = TransitKey(name=name, versions=(version,))
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_mode(self.directory, self.directory.stat(), "700")
            self._write_new(name, _document(key))
        except OSError as error:
            raise KeyStoreError(
                f"{self._path(name)} cannot be written: {error.strerror}"
            ) from error
        return key

    def load(self, name: str) -> TransitKey:
        """Returns the key name.

        Raises:
            KeyStoreError: if there is none, others may read it, or it is damaged.
        """
        path = self._path(name)
        try:
            _check_mode(self.directory, self.directory.stat(), "700")
            with path.open("rb") as file:
                _check_mode(path, os.fstat(file.fileno()), "600")
                raw = file.read(MAX_FILE + 1)
        except FileNotFoundError as error:
            message = f"there is no key {name}: make it with `pullpass key create {name}`"
            raise KeyStoreError(message) from error
        except OSError as error:
            raise KeyStoreError(f"{path} cannot be read: {error.strerror}") from error
        return _read(name, path, raw)

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.json"

    def _write_new(self, name: str, text: Secret) -> None:
        """Writes a file that appears whole or not at all, and never replaces another."""
        path = self._path(name)
        handle, draft = mkstemp(prefix=f".{name}.", dir=self.directory)  # with mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text.reveal())
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
            _sync_directory(self.directory)
        except FileExistsError as error:
            raise KeyStoreError(f"there is a key {name} already, at {path}") from error
        finally:
            Path(draft).unlink()


def _sync_directory(directory: Path) -> None:
    if os.name == "posix":  # elsewhere a directory cannot be opened
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _check_mode(path: Path, found: os.stat_result, wanted: str) -> None:
    if os.name != "posix":
        return  # Windows has no mode; the profile's access list stands in for it
    if found.st_uid not in {os.geteuid(), 0}:
        raise KeyStoreError(f"{path} belongs to somebody else: chown it to who runs pullpass")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise KeyStoreError(
            f"{path} is open to others: `chmod {wanted} {path}`; if anybody read a key,"
            " move its file away and make a new one with `pullpass key create`"
        )


def _document(key: TransitKey) -> Secret:
    versions = [
        {
            "version": version.number,
            "state": version.state,
            "created_at": version.created_at,
            "private_key": version.key.pem().reveal(),
        }
        for version in key.versions
    ]
    return Secret(json.dumps({"type": TYPE, "versions": versions}, indent=1) + "\n")


def _read(name: str, path: Path, raw: bytes) -> TransitKey:
    damaged = KeyStoreError(f"{path} is damaged: restore it, or move it away and create the key")
    if len(raw) > MAX_FILE:
        raise damaged
    try:
        document = json.loads(raw)
        versions = tuple(_version(item) for item in document["versions"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged from error
    except KeyStoreError as error:
        raise KeyStoreError(f"{path} is damaged: {error}") from error
    if document.get("type") != TYPE:
        raise damaged
    return TransitKey(name=name, versions=versions)


def _version(item: dict[str, Any]) -> Version:
    if type(item["version"]) is not int or type(item["created_at"]) is not int:
        raise TypeError("not a whole number")
    if item["state"] not in STATES or type(item["private_key"]) is not str:
        raise ValueError("not a state, or no key")
    return Version(
        number=item["version"],
        state=item["state"],
        created_at=item["created_at"],
        key=load_private_key(Secret(item["private_key"])),
    )
