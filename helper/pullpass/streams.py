"""TCP, TLS and Unix streams for httpcore, over the event loop's own transports, and proxies.

httpcore's own stand on anyio, which lets the loop turn once more in each read and each write:
together a tenth of a millisecond of each exchange. A proxy is asked here as well, before httpcore
sees a connection: its own tunnels stay in the pool for good where TLS fails behind them.
"""

import asyncio
import select
import ssl
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, cast
from urllib.parse import urlsplit

import h11
import httpcore

from pullpass.network import Proxy
from pullpass.tunnel import tunnel

_DELAY: Final = 0.25  # seconds until the next address is tried beside the first, RFC 8305 §5
_UNREAD: Final = 1 << 16  # bytes that may lie unread before the peer has to wait
_PORTS: Final = {"http": 80, "https": 443}


class Streams(httpcore.AsyncNetworkBackend):
    """Opens streams, through proxy where there is one, which is held to trust.

    Nobody here asks for a local address or for socket options.

    Raises:
        httpcore.ConnectError: in the context of its cause.
        httpcore.ConnectTimeout: after timeout seconds.
        httpcore.ProxyError: with the status alone, if the proxy does not connect.
        httpcore.ReadError, httpcore.WriteError: if it leaves.
        httpcore.RemoteProtocolError: if it is no proxy, or something was said before TLS.
        UnicodeError: if a host or a path cannot be one.
    """

    def __init__(self, trust: ssl.SSLContext, proxy: Proxy | None = None) -> None:
        self._trust = trust
        self._proxy = proxy

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
            if self._proxy is None:
                return await _connected(host, port, timeout)
            parts = urlsplit(self._proxy.origin)
            near = parts.hostname or ""
            stream = await _connected(near, parts.port or _PORTS[parts.scheme], timeout)
            try:
                if parts.scheme == "https":
                    await stream.start_tls(self._trust, near)
                await _through(stream, tunnel(self._proxy, host, port))
            except BaseException:
                await stream.aclose()
                raise
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
        """Leaves buffer, a part of a bounded request, to the loop. Raises: httpcore.WriteError."""
        if self._ended:
            raise httpcore.WriteError from self._fault
        self._transport.write(buffer)

    async def aclose(self) -> None:
        """Ends the connection at once: what is not there yet is not waited for."""
        self.abort()
        await asyncio.sleep(0)  # the loop closes the socket in its next turn

    def abort(self) -> None:
        """As ``aclose``, which ends in the loop's next turn."""
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Returns this stream, in TLS from here on. Raises: as Streams."""
        try:
            async with _connecting(timeout):
                self._be_new()
                over_tls = await asyncio.get_running_loop().start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except BaseException:
            await self.aclose()
            raise
        self._transport = cast("asyncio.Transport", over_tls)
        return self

    def _be_new(self) -> None:
        if self._unread:  # in the clear, by whoever stands between
            raise httpcore.RemoteProtocolError
        if self._ended:  # of which start_tls would not hear any more
            raise self._fault or ConnectionResetError

    def get_extra_info(self, info: str) -> Any:
        """Returns what asyncio knows as info, or whether an idle connection has been stirred."""
        if info == "is_readable":
            return self._ended or bool(self._unread) or self._stirred()
        return self._transport.get_extra_info(info)

    def _stirred(self) -> bool:
        # Between two runs of the loop nobody is told.
        ours = self._transport.get_extra_info("socket")
        if ours is None or ours.fileno() < 0:
            return True
        if not hasattr(select, "poll"):  # Windows
            return bool(select.select([ours], [], [], 0)[0])
        poll = select.poll()
        poll.register(ours, select.POLLIN)
        return bool(poll.poll(0))


async def _connected(host: str, port: int, timeout: float | None) -> _Stream:
    # Whoever waits may be cancelled, this not: asyncio loses a socket that has just won its race.
    making = asyncio.create_task(_made(host, port, timeout))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        making.add_done_callback(_drop)
        raise


async def _made(host: str, port: int, timeout: float | None) -> _Stream:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout):
        _, stream = await loop.create_connection(_Stream, host, port, happy_eyeballs_delay=_DELAY)
    return stream


def _drop(making: asyncio.Task[_Stream]) -> None:
    if not making.cancelled() and not making.exception():
        making.result().abort()


async def _through(stream: _Stream, steps: Generator[bytes, bytes, int]) -> None:
    """Lets stream be what steps ask a proxy for. Raises: as Streams."""
    told = next(steps)
    try:
        while True:
            if told:
                await stream.write(told)
            told = steps.send(await stream.read(_UNREAD))
    except StopIteration as end:
        if not 200 <= end.value < 300:
            raise httpcore.ProxyError(str(end.value)) from None
    except h11.RemoteProtocolError as error:
        raise httpcore.RemoteProtocolError from error


@asynccontextmanager
async def _connecting(timeout: float | None) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(timeout):
            yield
    except TimeoutError as error:
        raise httpcore.ConnectTimeout from error
    except OSError as error:
        raise httpcore.ConnectError from error
