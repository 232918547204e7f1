"""One process at a time. The lock ends with the process that holds it, however it ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds directory, which is there, for the length of a block. Raises: OSError."""
    if os.name == "posix":
        handle = os.open(directory, os.O_RDONLY)
    else:  # where a directory cannot be opened
        handle = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        _take(handle)
        yield
    finally:
        os.close(handle)


def _take(handle: int) -> None:
    try:
        import fcntl  # noqa: PLC0415 - laptops run Windows, which has no such module
    except ImportError:
        import msvcrt  # noqa: PLC0415 - which only Windows has

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined] # see above
    else:
        fcntl.flock(handle, fcntl.LOCK_EX)
