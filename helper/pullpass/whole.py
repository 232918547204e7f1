"""A file that is put in its place whole and lasts, or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Final

PRIVATE: Final = 0o600
_SUFFIX: Final = ".new"


def write_whole(
    path: Path, raw: bytes, *, mode: int = PRIVATE, owner: tuple[int, int] | None = None
) -> None:
    """Puts raw at path, in place of what stood there.

    Args:
        path: in a directory that is there.
        raw: what the file holds.
        mode: of the file.
        owner: its user and its group, None for those of this process.

    Raises:
        OSError: if that cannot be done; what stood there then stands there still.
    """
    handle, draft = mkstemp(prefix=f".{path.name}.", suffix=_SUFFIX, dir=path.parent)  # 0600
    try:
        try:
            _become(handle, mode, owner)
            _write_all(handle, raw)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(draft, path)  # noqa: PTH105 - beside the calls that it ends
    except BaseException:
        with suppress(OSError):
            Path(draft).unlink()
        raise
    sync_directory(path.parent)


def sweep(path: Path) -> None:
    """Removes what processes left that died on their way to path; nobody may write it now."""
    for draft in path.parent.glob(f".{path.name}.*{_SUFFIX}"):
        draft.unlink()


def sync_directory(directory: Path) -> None:
    """Lets what was put into directory, or taken out of it, outlive a loss of power."""
    if os.name == "posix":  # elsewhere a directory cannot be opened
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _become(handle: int, mode: int, owner: tuple[int, int] | None) -> None:
    if os.name != "posix":
        return
    made = os.fstat(handle)
    if owner and owner != (made.st_uid, made.st_gid):
        os.fchown(handle, *owner)
    if mode != PRIVATE:
        os.fchmod(handle, mode)


def _write_all(handle: int, raw: bytes) -> None:
    while raw:
        raw = raw[os.write(handle, raw) :]
