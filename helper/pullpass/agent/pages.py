"""Pages about a resident process, over HTTP on a Unix socket or on a port of loopback.

One request and one answer each: for Prometheus, for probes, and for
``curl --unix-socket PATH http://localhost/metrics``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from pullpass.errors import ConfigError

MAX_HEAD: Final = 8192  # bytes of a request's head
PATIENCE: Final = 5.0  # seconds for a request and for its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is answered."""

    status: HTTPStatus = HTTPStatus.OK
    kind: str = "text/plain; charset=utf-8"
    body: bytes


@asynccontextmanager
async def pages_served(
    where: Path | tuple[str, int], page: Callable[[str], Page], key: str
) -> AsyncIterator[None]:
    """Answers at where for the length of a block.

    Args:
        where: a socket's path, or host and port.
        page: gives the page of a path such as ``/metrics``.
        key: the setting that names where, for errors.

    Raises:
        ConfigError: if nothing can listen there.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(head, page))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a TimeoutError is an OSError; whoever breaks off needs no answer
        finally:
            writer.transport.abort()

    try:
        if isinstance(where, Path):
            server = await asyncio.start_unix_server(answer, where, limit=MAX_HEAD)
        else:
            server = await asyncio.start_server(answer, *where, limit=MAX_HEAD)
    except OSError as error:
        raise ConfigError(
            f"nothing can listen there: {error.strerror or error}", key=key
        ) from error
    async with server:
        yield


def _response(head: bytes, page: Callable[[str], Page]) -> bytes:
    match head.split(b"\r\n", 1)[0].split(b" "):
        case [b"GET", target, version] if version.startswith(b"HTTP/1."):
            found = page(target.decode("latin-1"))
        case _:
            body = b"not a request that is taken here\n"
            found = Page(status=HTTPStatus.BAD_REQUEST, body=body)
    fields = (
        f"HTTP/1.1 {found.status.value} {found.status.phrase}",
        f"Content-Type: {found.kind}",
        f"Content-Length: {len(found.body)}",
        "Connection: close",
    )
    return "\r\n".join([*fields, "", ""]).encode() + found.body
