"""The program ``docker-credential-pullpass`` without an agent: arguments, streams, exit status.

Imports stay at ``os`` and ``sys``: Docker asks about every registry, also those that are none of
ours. Each client reads another stream, so a failure is told on both, in one line.
"""

import os
import sys

TYPE_CHECKING = False  # typing takes longer to load than all of this
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_STDIN = 64 * 1024  # bytes; Docker's own helpers take no longer line
NAME = "docker-credential-pullpass"
USAGE = f"Usage: {NAME} <store|get|erase|list|version>"


def main(held: bytes | None = None) -> None:
    """Runs the program with this process's arguments and streams. Never returns.

    Args:
        held: what stdin held, where ``fast`` has read it already.
    """
    status = _run(sys.argv[1:], _read_stdin if held is None else lambda: held)
    sys.exit(status)


def _run(arguments: list[str], read: "Callable[[], bytes]") -> int:
    if len(arguments) != 1:
        return _say(USAGE, status=1)
    match arguments[0]:
        case "-h" | "--help":
            return _say(USAGE)
        case "version" | "-v" | "--version":
            from pullpass import __version__

            return _say(f"{NAME} (pullpass) v{__version__}")
        case "get" | "store" | "erase" | "list" as action:
            from pullpass.credhelper.answer import answer

            line, hint, status, late = answer(action, read, os.environ)
            said = _say(line, hint, status)
            if late:
                os._exit(said)  # an orderly exit waits for a name lookup that may never end
            return said
        case unknown:
            return _say(f"{NAME}: unknown action: {_printable(unknown)}", status=1)


def _read_stdin() -> bytes:
    """Returns what stdin holds, at most one byte more than MAX_STDIN."""
    held = bytearray()
    try:
        while len(held) <= MAX_STDIN and (chunk := os.read(0, MAX_STDIN + 1 - len(held))):
            held += chunk
    except OSError:  # closed before we started
        return b""
    return bytes(held)


def _say(line: str, hint: str = "", status: int = 0) -> int:
    """Writes line to stdout and hint to stderr; a stream that nobody reads changes the status."""
    try:
        if hint:
            os.write(2, f"{NAME}: {hint}\n".encode())
    except OSError:
        pass  # the line on stdout says the same
    try:
        rest = f"{line}\n".encode() if line else b""
        while rest:
            rest = rest[os.write(1, rest) :]
    except OSError:
        return 1
    return status


def _printable(text: str) -> str:
    return "".join(character for character in text[:200] if character.isprintable())
