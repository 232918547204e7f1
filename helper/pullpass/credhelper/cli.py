"""The program ``docker-credential-pullpass``: arguments, streams and exit status.

Imports stay at ``os`` and ``sys``: Docker runs this for every pull, and asks it about registries
that are none of ours. Each client reads another stream, so a failure is told on both, in one line.
"""

import os
import sys

MAX_STDIN = 64 * 1024  # bytes; Docker's own helpers take no longer line
NAME = "docker-credential-pullpass"
USAGE = f"Usage: {NAME} <store|get|erase|list|version>"


def main() -> None:
    """Runs the program with this process's arguments and streams. Never returns."""
    status = _run(sys.argv[1:])
    sys.exit(status)


def _run(arguments: list[str]) -> int:
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

            line, hint, status, late = answer(action, _read_stdin, os.environ)
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
