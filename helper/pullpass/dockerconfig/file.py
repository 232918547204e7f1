"""The file on the disk: read whole, replaced whole, by one process at a time.

It is written beside itself and renamed, through symbolic links, and keeps mode and owner.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pullpass.errors import FileError, MalformedInput, UsageError
from pullpass.lock import locked
from pullpass.whole import PRIVATE, sync_directory, write_whole

MAX_FILE: Final = 1 << 22  # bytes; a thousand registries need 100 kB


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
def held_alone(path: Path) -> Iterator[None]:
    """Holds path's directory for one writer, which is made if it is missing. Leaves no file.

    Raises:
        FileError: if another one does not end, or the directory cannot be made.
    """
    directory = path.parent
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(directory, error) from error
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(directory))
        except TimeoutError as error:
            raise _unwritable(path, error) from error
        except OSError:
            pass  # a file system without locks, such as some of the network's
        yield


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
    """Puts text where held was found, with the mode and the owner of it. Raises: FileError."""
    found = held.found
    mode = stat.S_IMODE(found.st_mode) if found else PRIVATE
    owner = (found.st_uid, found.st_gid) if found else None
    try:
        write_whole(held.path, text.encode(), mode=mode, owner=owner)
    except OSError as error:
        raise _unwritable(held.path, error) from error


def remove(path: Path) -> None:
    """Removes path, which may be gone. Raises: FileError."""
    try:
        path.unlink(missing_ok=True)
        sync_directory(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> FileError:
    return FileError(f"{path} cannot be written: {error.strerror}: nothing was changed")
