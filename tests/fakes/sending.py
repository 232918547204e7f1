"""Both transports behind one signature."""

import asyncio
from typing import Final, Protocol

from pullpass.http import Request, Response
from pullpass.network import Network
from pullpass.transport import AsyncHttpTransport, HttpTransport

PATIENT: Final = Network(timeout=15.0)  # a busy machine answers in far less


class Sends(Protocol):
    """Sends one request over connections of its own."""

    def __call__(self, request: Request, network: Network = PATIENT) -> Response:
        """Returns the answer to request."""


def send(request: Request, network: Network = PATIENT) -> Response:
    with HttpTransport(network) as transport:
        return transport.send(request)


def send_async(request: Request, network: Network = PATIENT) -> Response:
    async def once() -> Response:
        transport = AsyncHttpTransport(network)
        try:
            return await transport.send(request)
        finally:
            await transport.aclose()

    return asyncio.run(once())


SENDERS: Final[tuple[Sends, ...]] = (send, send_async)
