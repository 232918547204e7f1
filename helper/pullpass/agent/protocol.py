"""The frames that the agent and its clients exchange. Pure.

A connection carries one request and one reply. A request is a line ``VERB LENGTH`` and then exactly
LENGTH bytes; a reply is a line ``STATUS LENGTH`` and then exactly LENGTH bytes, after which the
agent closes. Everything else is a failure: a reply cut short must never look like an answer.

The parsers take what has come so far and give None until the frame is whole.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from re import Pattern
from typing import Final

from pullpass.errors import MalformedInput

MAX_LINE: Final = 64  # bytes of a first line, its newline included
MAX_REQUEST: Final = 64 * 1024  # bytes of a request's body
MAX_REPLY: Final = 1 << 20  # bytes of a reply's body
_VERB: Final = re.compile(rb"([a-z]{1,16}) (0|[1-9][0-9]*)\n")
_STATUS: Final = re.compile(rb"(ok|error|self) (0|[1-9][0-9]*)\n")


class Status(StrEnum):
    """What kind of answer a reply is; SELF tells the client to do the work in its own process."""

    OK = "ok"
    ERROR = "error"
    SELF = "self"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks. The body may hold what only its sender should see."""

    verb: str
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the agent answers. The body of an OK may hold a secret."""

    status: Status
    body: bytes = field(default=b"", repr=False)


def render_request(request: Request) -> bytes:
    """Returns the bytes of request.

    Raises:
        MalformedInput: if the protocol has no frame for it.
    """
    raw = b"%s %d\n%s" % (request.verb.encode(), len(request.body), request.body)
    parse_request(raw)
    return raw


def render_reply(reply: Reply) -> bytes:
    """Returns the bytes of reply.

    Raises:
        MalformedInput: if the protocol has no frame for it.
    """
    raw = b"%s %d\n%s" % (reply.status.encode(), len(reply.body), reply.body)
    parse_reply(raw)
    return raw


def parse_request(raw: bytes | bytearray) -> Request | None:
    """Returns the request that raw is, None while bytes are missing.

    Raises:
        MalformedInput: if raw cannot become a request, or has bytes after it.
    """
    frame = _frame(raw, _VERB, MAX_REQUEST)
    return None if frame is None else Request(verb=frame[0], body=frame[1])


def parse_reply(raw: bytes | bytearray) -> Reply | None:
    """Returns the reply that raw is, None while bytes are missing.

    Raises:
        MalformedInput: if raw cannot become a reply, or has bytes after it.
    """
    frame = _frame(raw, _STATUS, MAX_REPLY)
    if frame and frame[0] == Status.SELF and frame[1]:
        raise MalformedInput("self says nothing more")
    return None if frame is None else Reply(status=Status(frame[0]), body=frame[1])


def _frame(raw: bytes | bytearray, line: Pattern[bytes], limit: int) -> tuple[str, bytes] | None:
    found = line.match(raw, 0, MAX_LINE)
    if found is None:
        if b"\n" in raw or len(raw) >= MAX_LINE:
            raise MalformedInput("the first line is not a word and a length")
        return None
    if int(found[2]) > limit:
        raise MalformedInput(f"the length is more than {limit} bytes")
    end = found.end() + int(found[2])
    if len(raw) > end:
        raise MalformedInput("bytes follow the frame")
    return (found[1].decode(), bytes(raw[found.end() :])) if len(raw) == end else None
