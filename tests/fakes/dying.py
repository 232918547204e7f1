"""Does something to a key in files again and again, each time cut off one call later.

``python -m fakes.dying DIRECTORY OUT ACTION END`` copies DIRECTORY to OUT/1, OUT/2, … and does
ACTION to the key k in each copy, in a process of its own. At the call with the copy's number that
changes anything on a disk END comes over it: ``dies``, a write having been done by half, or
``full``, the error of a full disk. It ends with the first copy in which nothing was left to cut.
"""

import errno
import itertools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from fakes.key_files import KeyFiles, key_settings, local
from pullpass.errors import KeyStoreError
from pullpass.keys import hand
from pullpass.keys.source import Keys

CREATED: Final = 1_800_000_000  # Unix seconds
DIED: Final = 9
FAILED: Final = 1
CHANGES: Final = ("write", "fsync", "replace", "rename", "link", "unlink", "mkdir", "truncate")
SETTINGS: Final = key_settings(rotate_every=10_000, publish_lead=600, retire_grace=4200)
ACTIONS: Final[dict[str, Callable[[Keys], object]]] = {
    "create": lambda keys: local(keys.create("k")),
    "rotate": lambda keys: local(hand.rotate(keys, "k", emergency=False)),
    "emergency": lambda keys: local(hand.rotate(keys, "k", emergency=True)),
    "compromise": lambda keys: local(hand.compromise(keys, "k", 1)),
    "carry on": lambda keys: local(keys.load("k")),
}


def key(directory: Path, now: float = CREATED + 9_500) -> Keys:
    """Returns the key k in directory, for which a successor is due at now."""
    return KeyFiles(directory=directory, now=lambda: now).keys(SETTINGS)


def main() -> None:
    directory, out, action, end = sys.argv[1:]
    for number in itertools.count(1):
        copy = Path(out) / str(number)
        if Path(directory).exists():
            shutil.copytree(directory, copy)
        if _done(copy, action, end, number) == 0:
            return


def _done(copy: Path, action: str, end: str, number: int) -> int:
    child = os.fork()
    if child == 0:
        left = _cut(number, end)
        try:
            ACTIONS[action](key(copy))
        except KeyStoreError:
            os._exit(FAILED)
        os._exit(0 if left() > 0 else FAILED)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _cut(number: int, end: str) -> Callable[[], int]:
    """Lets END come over the call with that number, and returns how many calls are left to it."""
    calls = itertools.count(1)
    left = number

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def cut(*arguments: Any, **more: Any) -> Any:
            nonlocal left
            left = number - next(calls)
            if left == 0 and end == "dies":
                if name == "write":
                    call(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os._exit(DIED)
            if left == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*arguments, **more)

        return cut

    for name in CHANGES:
        setattr(os, name, counted(name, getattr(os, name)))
    opened = os.open

    def open_(path: Any, flags: int, *more: Any, **named: Any) -> int:
        call = counted("open", opened) if flags & os.O_CREAT else opened
        handle: int = call(path, flags, *more, **named)
        return handle

    os.open = open_
    return lambda: left


if __name__ == "__main__":
    main()
