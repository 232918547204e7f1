"""Connections to others that are kept for the next request, and none that is kept for nobody."""

import ssl
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import Final

import httpcore

from pullpass.network import Proxy
from pullpass.streams import Streams

MOST: Final = 100  # connections at a time
MOST_IDLE: Final = 20


class Pool:
    """Connections by one proxy or none, or to one Unix socket; idle ones are kept for keep seconds.

    httpcore's pool loses a place, and a socket, where whoever asks is cancelled while it awaits one
    of httpcore's locks. So where nobody asks and a connection is not idle, it goes with its pool.
    """

    def __init__(
        self, trust: ssl.SSLContext, keep: float, proxy: Proxy | None = None, socket: str = ""
    ) -> None:
        self._new = partial(
            httpcore.AsyncConnectionPool,
            ssl_context=trust,
            max_connections=MOST,
            max_keepalive_connections=MOST_IDLE,
            keepalive_expiry=keep,
            uds=socket or None,
            network_backend=Streams(trust, proxy),
        )
        self._pool = self._new()
        self._asking = 0

    async def aclose(self) -> None:
        """Closes the connections; nobody may be asking."""
        await self._pool.aclose()

    async def ask(
        self, request: httpcore.Request, take: Callable[[bytes], None]
    ) -> httpcore.Response:
        """Returns the answer to request, whose body take is given piece by piece.

        Raises: what httpcore, Streams and take do.
        """
        self._asking += 1
        try:
            async with aclosing(await self._pool.handle_async_request(request)) as answer:
                async for piece in answer.aiter_stream():
                    take(piece)
            return answer
        finally:
            self._asking -= 1
            if not self._asking and not all(one.is_idle() for one in self._pool.connections):
                lost, self._pool = self._pool, self._new()
                await lost.aclose()
