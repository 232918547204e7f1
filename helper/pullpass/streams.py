"""TCP, TLS and Unix streams for httpcore, over the event loop's own transports.

httpcore's own stand on anyio, which lets the loop turn once more in each read and each write:
together a tenth of a millisecond of each exchange.
"""

import asyncio
import os
import re
import select
import ssl
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import httpcore

_DELAY: Final = 0.25  # seconds until the next address is tried beside the first, RFC 8305 §5
_UNREAD: Final = 1 << 16  # bytes that may lie unread before the peer has to wait


class Streams(httpcore.AsyncNetworkBackend):
    """Opens streams. Nobody here asks for a local address or for socket options.

    Raises:
        httpcore.ConnectError: with the cause behind it.
        httpcore.ConnectTimeout: after timeout seconds.
    """

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Returns a stream to the first of host's addresses that takes one."""
        async with _connecting(timeout):
            _, stream = await asyncio.get_running_loop().create_connection(
                _Stream, host, port, happy_eyeballs_delay=_DELAY
            )
        return stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Returns a stream to the socket at path."""
        async with _connecting(timeout):
            _, stream = await asyncio.get_running_loop().create_unix_connection(_Stream, path)
        return stream


class _Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """Both sides of a connection: what the loop tells, and what httpcore asks.

    Reads and writes have no time-out of their own: the deadline of a request stands over them all.
    """

    def __init__(self) -> None:
        self._transport = cast("asyncio.Transport", None)  # until the loop tells, at once
        self._unread = bytearray()
        self._ended = False
        self._fault: Exception | None = None
        self._news: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) > _UNREAD:
            self._transport.pause_reading()
        self._tell()

    def eof_received(self) -> None:
        self._ended = True
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._fault = True, exc
        self._tell()

    def _tell(self) -> None:
        if self._news and not self._news.done():
            self._news.set_result(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Returns what came, empty at the end. Raises: httpcore.ReadError."""
        while not self._unread and not self._ended:
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        if self._fault and not self._unread:
            error = httpcore.ReadError()
            error.__context__ = self._fault  # the pool raises it «from None», which takes a cause
            raise error
        came = bytes(self._unread[:max_bytes])
        del self._unread[:max_bytes]
        self._transport.resume_reading()
        return came

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Leaves buffer to the loop, which holds some kB at most. Raises: httpcore.WriteError."""
        if self._ended:
            raise httpcore.WriteError from self._fault
        self._transport.write(buffer)

    async def aclose(self) -> None:
        """Ends the connection: a request that has its answer needs no farewell."""
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Returns this stream, in TLS from here on. Raises: as Streams."""
        async with _connecting(timeout):
            over_tls = await asyncio.get_running_loop().start_tls(
                self._transport, self, ssl_context, server_hostname=server_hostname
            )
        self._transport = cast("asyncio.Transport", over_tls)
        return self

    def get_extra_info(self, info: str) -> Any:
        """Returns what asyncio knows as info, or whether an idle connection has been stirred."""
        if info == "is_readable":
            return self._ended or bool(self._unread) or self._stirred()
        return self._transport.get_extra_info(info)

    def _stirred(self) -> bool:
        # Between two runs of the loop nobody is told.
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket"), select.POLLIN)
        return bool(poll.poll(0))


@asynccontextmanager
async def _connecting(timeout: float | None) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(timeout):
            yield
    except TimeoutError as error:
        raise httpcore.ConnectTimeout from error
    except OSError as error:
        raise httpcore.ConnectError from _first(error)


def _first(error: OSError) -> OSError:
    """Returns the first failure where the loop folded those of several addresses into a text."""
    number = re.search(r"\[Errno (\d+)\]", str(error)) if error.errno is None else None
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else error
