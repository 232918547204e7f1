"""The places of our sockets: private folders, and one shim at a time.

gRPC takes a socket's path from whoever has it, and removes it when it ends: of two shims the first
would delete the socket of the second. A lock beside the socket keeps them apart.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pullpass.errors import ConfigError

_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def make_private(directory: Path, key: str) -> None:
    """Makes directory, if its parent is there, and holds that nobody else may put things there.

    Raises:
        ConfigError: naming key, if it cannot be made or is open to others.
    """
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.stat()
    except OSError as error:
        raise ConfigError(f"{directory} cannot be used: {error.strerror}", key=key) from error
    if found.st_mode & _OTHERS or found.st_uid not in {0, os.geteuid()}:
        raise ConfigError(
            f"{directory} is open to others, who could put a false socket there: use a folder"
            " of its own with mode 0700",
            key=key,
        )


@contextmanager
def held(socket: Path, key: str) -> Iterator[None]:
    """Holds the place of a socket for the length of a block.

    Raises:
        ConfigError: naming key, if another process holds it.
    """
    lock = socket.with_name(f"{socket.name}.lock")
    handle = _open(lock, key)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"another pullpass-cri serves {socket}: end that one first", key=key
            ) from error
        yield
    finally:
        os.close(handle)


def _open(lock: Path, key: str) -> int:
    try:
        return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigError(f"{lock} cannot be opened: {error.strerror}", key=key) from error
