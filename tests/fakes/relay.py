"""A relay of TCP before a registry: a mirror of it, whose answers may stop halfway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

_CHUNK: Final = 1 << 14


@dataclass(slots=True, eq=False)
class Relay:
    """Passes bytes both ways.

    Attributes:
        target: ``host:port`` of the registry.
        limit: of a connection's answers, in bytes, until ``open`` is set; None for no limit.
        address: where it listens.
        held: how many connections wait for ``open``.
    """

    target: str
    limit: int | None = None
    address: str = ""
    held: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relays one connection until either side closes it."""
        host, _, port = self.target.partition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        ways = [
            asyncio.create_task(_pass(reader, far_writer)),
            asyncio.create_task(self._answer(far_reader, writer)),
        ]
        with suppress(asyncio.CancelledError):  # the end of the relay
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)
        for end in (writer, far_writer):
            end.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        went = 0
        while chunk := await reader.read(_CHUNK):
            went += len(chunk)
            if self.limit is not None and went > self.limit and not self.open.is_set():
                self.held += 1
                try:
                    await self.open.wait()
                finally:
                    self.held -= 1
            writer.write(chunk)
            await writer.drain()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()


@asynccontextmanager
async def relay(target: str, limit: int | None = None) -> AsyncIterator[Relay]:
    """Runs a relay on loopback for the length of a block."""
    made = Relay(target, limit)
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        made.address = f"{host}:{port}"
        yield made
