"""The file on the disk: read whole, replaced whole, by one process at a time.

It is written beside itself and renamed, through symbolic links, and keeps mode and owner.
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from pullpass.errors import FileError, MalformedInput, UsageError

try:
    import fcntl
except ImportError:  # Windows
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

MAX_FILE: Final = 1 << 22  # bytes; a thousand registries need 100 kB
PATIENCE: Final = 10.0  # seconds for whoever writes the same file now
_POLL: Final = 0.05  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A file as it was found.

    Attributes:
        found: its mode and owner, None where there is no file.
    """

    path: Path
    text: str
    found: os.stat_result | None


def target(path: Path) -> Path:
    """Returns the file itself that path leads to. Raises: UsageError."""
    try:
        found = path.resolve()
    except (OSError, RuntimeError) as error:  # a circle of links
        raise UsageError(f"{path} leads nowhere: mend the link") from error
    if found.is_dir():
        raise UsageError(f"{path} is a directory: name a file in it")
    return found


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds path's directory for one writer, which is made if it is missing. Leaves no file.

    Raises:
        FileError: if another one does not end, or the directory cannot be made.
    """
    directory = path.parent
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY) if HAS_LOCKS else None
    except OSError as error:
        raise _unwritable(directory, error) from error
    if handle is None:
        yield
        return
    try:
        _lock(handle, path)
        yield
    finally:
        os.close(handle)


def read(path: Path) -> Held:
    """Returns what path holds, nothing where there is no file.

    Raises:
        MalformedInput: if it is no text, too long or no regular file.
        FileError: if it cannot be read.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise MalformedInput(f"{path} is no file: name one with --file")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        return Held(path=path, text="", found=None)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > MAX_FILE:
        raise MalformedInput(f"{path} is longer than {MAX_FILE} bytes")
    try:
        return Held(path=path, text=raw.decode(), found=found)
    except UnicodeDecodeError as error:
        raise MalformedInput(f"{path} is not UTF-8") from error


def replace(held: Held, text: str) -> None:
    """Puts text where held was found: whole or not at all. Raises: FileError."""
    path = held.path
    try:
        handle, draft = mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                _liken(handle, held.found)
                file.write(text.encode())
                file.flush()
                os.fsync(handle)
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink()
            raise
        _sync(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def remove(path: Path) -> None:
    """Removes path, which may be gone. Raises: FileError."""
    try:
        path.unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def _lock(handle: int, path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise FileError(f"another pullpass has been at {path} for 10s: end it") from error
            time.sleep(_POLL)
        except OSError:
            return  # a file system without locks, such as some of the network's
        else:
            return


def _liken(handle: int, found: os.stat_result | None) -> None:
    """Gives a new file the owner and the mode of the one that it replaces."""
    if found is None or os.name != "posix":
        return
    made = os.fstat(handle)
    if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
        os.fchown(handle, found.st_uid, found.st_gid)
    os.fchmod(handle, stat.S_IMODE(found.st_mode))


def _sync(directory: Path) -> None:
    if os.name == "posix":  # elsewhere a directory cannot be opened
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _unwritable(path: Path, error: OSError) -> FileError:
    return FileError(f"{path} cannot be written: {error.strerror}: nothing was changed")
