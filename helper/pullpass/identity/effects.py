"""What a source may ask of its surroundings. Values; ``edge`` does the asking.

A source is a generator, as an exchange is: it yields requests, of HTTP and of the kinds here, and
is sent what came of them.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pullpass.errors import MalformedInput
from pullpass.http import Request, Response

MAX_OUTPUT: Final = 64 * 1024  # bytes; a token has up to 16 kB, and may come as base64 within JSON
COMMAND_TIMEOUT: Final = 10  # seconds

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """The bytes of a file as it is now, None where there is none.

    Attributes:
        limit: bytes; a longer file is an error.
    """

    path: str
    limit: int = MAX_OUTPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommand:
    """What a program writes to stdout, once it ended well. No shell is between.

    Attributes:
        argv: the program, looked up on the PATH of environ, and its arguments.
        environ: all that it is told.
        timeout: seconds.
        limit: bytes of output; more is an error.
    """

    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = COMMAND_TIMEOUT
    limit: int = MAX_OUTPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSvid:
    """A JWT-SVID of SPIFFE's Workload API.

    Attributes:
        socket: ``unix:///…`` or ``tcp://IP:port``.
        spiffe_id: which of several identities, empty for the first.
        timeout: seconds.
    """

    socket: str
    audience: str
    spiffe_id: str = ""
    timeout: float = COMMAND_TIMEOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStored:
    """The credential that rests in a store, None where there is none.

    Attributes:
        store: as ``config.model.STORES`` names it.
        name: of the credential there.
        environ: of whoever asks.
    """

    store: str
    name: str
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


Effect = Request | ReadFile | RunCommand | FetchSvid | LoadStored
Steps = Generator[Effect, Any, T]


def ask(request: Request) -> Steps[Response]:
    """Returns the answer to request. Raises: TransportError."""
    answer: Response = yield request
    return answer


def read_file(path: str) -> Steps[str | None]:
    """Returns the text of a file, None where there is none.

    Raises:
        IdentityError: if it is there and cannot be read.
        MalformedInput: if it is not text.
    """
    raw: bytes | None = yield ReadFile(path=path)
    return None if raw is None else text_of(raw, path)


def run_command(command: RunCommand) -> Steps[str]:
    """Returns what command writes.

    Raises:
        IdentityError: if it does not end well.
        MalformedInput: if it does not write text.
    """
    raw: bytes = yield command
    return text_of(raw, command.argv[0])


def text_of(raw: bytes, where: str) -> str:
    """Returns raw as text without the space around it. Raises: MalformedInput."""
    try:
        return raw.decode().strip()
    except UnicodeDecodeError as error:
        raise MalformedInput(f"{where} gives no text: let it give the token alone") from error
