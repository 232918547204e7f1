"""Health and metrics over HTTP on a Unix socket of their own.

``curl --unix-socket /run/pullpass-cri/status.sock http://localhost/metrics``. ``/healthz`` says
whether the shim takes pulls, ``/readyz`` whether the runtime behind it can be reached too.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from pullpass.errors import ConfigError
from pullpass_plugin.cri.counters import Counters

MAX_HEAD: Final = 8192  # bytes of a request's head
PATIENCE: Final = 5.0  # seconds for a whole request
_REASONS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 503: "Service Unavailable"}


@asynccontextmanager
async def status_served(path: Path, counters: Counters) -> AsyncIterator[None]:
    """Serves counters at path for the length of a block. Raises: ConfigError."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(response(head, counters))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a TimeoutError is an OSError; whoever breaks off needs no answer
        finally:
            writer.transport.abort()

    try:
        server = await asyncio.start_unix_server(answer, path, limit=MAX_HEAD)
    except OSError as error:
        raise ConfigError(f"{path} cannot be served: {error}", key="cri.status") from error
    async with server:
        yield


def response(head: bytes, counters: Counters) -> bytes:
    """Returns the whole answer to a request with this head."""
    match head.split(b"\r\n", 1)[0].split(b" "):
        case [b"GET", target, version] if version.startswith(b"HTTP/1."):
            status, body = _page(target.decode("latin-1"), counters)
        case _:
            status, body = 400, "not a request that is taken here\n"
    fields = (
        f"HTTP/1.1 {status} {_REASONS[status]}",
        "Content-Type: text/plain; version=0.0.4; charset=utf-8",
        f"Content-Length: {len(body.encode())}",
        "Connection: close",
    )
    return ("\r\n".join(fields) + f"\r\n\r\n{body}").encode()


def _page(target: str, counters: Counters) -> tuple[int, str]:
    match target:
        case "/metrics":
            return 200, counters.render()
        case "/healthz":
            return (503, "draining\n") if counters.draining else (200, "ok\n")
        case "/readyz" if counters.draining:
            return 503, "draining\n"
        case "/readyz":
            return (200, "ok\n") if counters.runtime_up else (503, "the runtime is unreachable\n")
        case _:
            return 404, "no such page\n"
