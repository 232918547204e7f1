"""Transit keys in files: one JSON document a key, 0600 in a directory 0700.

Without a passphrase private halves are written as they are, so the mode is checked at every use.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from pullpass.errors import KeyStoreError
from pullpass.http import Flow
from pullpass.jose import generate_key
from pullpass.keys import document
from pullpass.keys.store import Held
from pullpass.keys.transit import State, TransitKey, Version
from pullpass.lock import locked
from pullpass.secret import Secret
from pullpass.whole import sweep, write_whole

_OPEN: Final = 0o077  # what a key may not be to others
_Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKeyStore:
    """The transit keys under one directory. A KeyStore which asks nobody.

    Attributes:
        directory: made with mode 0700 when the first key is created.
        passphrase: gives what encrypts whatever is written, and opens what is encrypted.
    """

    directory: Path
    passphrase: Callable[[], Secret | None] = lambda: None

    def read(self, name: str) -> Flow[Held]:
        """Returns the key name. Raises: KeyStoreError if it is not there, open or damaged."""
        yield from ()  # everything is on this host
        return self._held(name)

    def is_current(self, held: Held) -> bool:
        """Tells whether the file is the one that was read, and as closed."""
        try:
            file = os.stat(f"{self.directory}/{held.key.name}.json")  # noqa: PTH116 - a Path costs more
            return self._stamp(file) == held.stamp
        except OSError:
            return False

    def create(self, key: TransitKey) -> Flow[bool]:
        """Writes a new key. Raises: KeyStoreError if it cannot be written."""
        yield from ()
        with self._changing(key.name):
            if os.path.lexists(self._path(key.name)):
                return False
            self._write(key)
        return True

    def swap(self, held: Held, key: TransitKey) -> Flow[bool]:
        """Writes key if held is still what is there. Raises: KeyStoreError if it cannot."""
        yield from ()
        with self._changing(key.name):
            if self._held(key.name).revision != held.revision:
                return False
            self._write(key)
        return True

    def make(self, name: str, type_: str, after: int, now: int) -> Flow[Version]:  # noqa: ARG002 - other stores make it under its name
        """Returns a version with a new private half."""
        yield from ()
        return new_version(type_, after + 1, now)

    def _held(self, name: str) -> Held:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                stamp = self._stamp(found)
                _check_mode(self.directory, self.directory.stat(), "700")
                _check_mode(path, found, "600")
                raw = file.read(document.MAX_DOCUMENT + 1)
        except FileNotFoundError as error:
            message = f"there is no key {name}: make it with `pullpass key create {name}`"
            raise KeyStoreError(message) from error
        except OSError as error:
            raise KeyStoreError(f"{path} cannot be read: {error.strerror}") from error
        key = document.read(name, raw, str(path), self.passphrase())
        return Held(key=key, revision=sha256(raw).hexdigest(), stamp=stamp)

    def _stamp(self, file: os.stat_result) -> _Stamp:
        directory = self.directory.stat()
        return (
            directory.st_mode,
            directory.st_uid,
            file.st_mode,
            file.st_uid,
            file.st_ino,
            file.st_size,
            file.st_mtime_ns,
            file.st_ctime_ns,
        )

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.json"

    @contextmanager
    def _changing(self, name: str) -> Iterator[None]:
        """Holds the directory for the length of a change, and tells its failure as ours."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_mode(self.directory, self.directory.stat(), "700")
            with locked(self.directory):
                yield
        except OSError as error:
            raise KeyStoreError(
                f"{self._path(name)} cannot be written: {error.strerror}"
            ) from error

    def _write(self, key: TransitKey) -> None:
        """Puts a file in its place that is whole and lasts, or leaves what was there."""
        path = self._path(key.name)
        sweep(path)  # the lock says that nobody writes one now
        write_whole(path, document.write(key, self.passphrase()).reveal().encode())


def new_version(type_: str, number: int, now: int) -> Version:
    """Returns a version whose private half is in this process."""
    key = generate_key(type_)
    return Version(
        number=number,
        state=State.CREATED,
        created_at=now,
        since=now,
        public=key.public,
        key=key,
    )


def _check_mode(path: Path, found: os.stat_result, wanted: str) -> None:
    if os.name != "posix":
        return  # Windows has no mode; the profile's access list stands in for it
    if found.st_uid not in {os.geteuid(), 0}:
        raise KeyStoreError(f"{path} belongs to somebody else: chown it to who runs pullpass")
    if stat.S_IMODE(found.st_mode) & _OPEN:
        raise KeyStoreError(
            f"{path} is open to others: `chmod {wanted} {path}`; if anybody read a key,"
            " move its file away and make a new one with `pullpass key create`"
        )
