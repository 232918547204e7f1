"""One process at a time. The lock ends with the process that holds it, however it ends."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PATIENCE: Final = 10.0  # seconds; whoever holds it writes a file or two
_POLL: Final = 0.02  # seconds; the kernel wakes nobody whose wait has an end


@contextmanager
def locked(directory: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Holds directory, which is there, for the length of a block.

    Raises:
        TimeoutError: if another process holds it for longer than patience, in seconds.
        OSError: if it cannot be had at all.
    """
    if os.name == "posix":
        handle = os.open(directory, os.O_RDONLY)
    else:  # where a directory cannot be opened
        handle = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        _take(handle, time.monotonic() + patience)
        yield
    finally:
        os.close(handle)


def _take(handle: int, until: float) -> None:
    while not _taken(handle):
        if time.monotonic() > until:
            raise TimeoutError(errno.ETIMEDOUT, "another process of pullpass does not end")
        time.sleep(_POLL)


def _taken(handle: int) -> bool:
    try:
        import fcntl  # noqa: PLC0415 - laptops run Windows, which has no such module
    except ImportError:
        return _taken_on_windows(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken_on_windows(handle: int) -> bool:
    import msvcrt  # noqa: PLC0415 - which only Windows has

    try:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined] # see above
    except PermissionError:
        return False
    return True
