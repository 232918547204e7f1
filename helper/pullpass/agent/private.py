"""Where a socket is safe: a directory in which nobody else can put one, and a lock beside it.

Two servers on one path would not notice each other: the second takes it, and the first removes the
second's socket when it ends.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pullpass.agent.peer import NEEDS_LINUX
from pullpass.errors import ConfigError, UsageError

try:
    import fcntl
except ImportError as error:
    raise UsageError(NEEDS_LINUX) from error

_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def make_private(directory: Path, key: str) -> bool:
    """Makes directory, if its parent is there, and tells whether it made it.

    Raises:
        ConfigError: naming key, if it cannot be made or others can write in it.
    """
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        _check(directory, key)
        return False
    except OSError as error:
        raise _unusable(directory, error, key) from error
    return True


@contextmanager
def held(socket: Path, program: str, key: str) -> Iterator[None]:
    """Holds the place of program's socket for the length of a block.

    The kernel takes the lock back however its holder ends; the file stays.

    Raises:
        UsageError: if another process holds it.
        ConfigError: naming key, if the lock cannot be had.
    """
    lock = socket.with_name(f"{socket.name}.lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(lock, error, key) from error
    try:
        _lock(handle, f"another {program} runs already: it holds {lock}")
        yield
    finally:
        os.close(handle)


def _check(directory: Path, key: str) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigError(f"{directory} is no directory: move it away", key=key)
    if found.st_uid not in {0, os.geteuid()}:
        raise ConfigError(f"{directory} belongs to somebody else: chown it", key=key)
    if found.st_mode & _OTHERS:
        raise ConfigError(
            f"others can write in {directory}, and put a socket of theirs there: `chmod go-w` it,"
            " or name a directory of its own",
            key=key,
        )


def _lock(handle: int, taken: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(taken) from error


def _unusable(path: Path, error: OSError, key: str) -> ConfigError:
    return ConfigError(f"{path} cannot be used: {error.strerror}", key=key)
