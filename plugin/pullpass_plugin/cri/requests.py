"""The requests of a call whose kind is not known: most have one, and then a call is no stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

PAUSE: Final = 0.05  # seconds; within it the end of the requests follows the last of them


class Requests:
    """The requests of a call as they come, of which the first two may be looked at before.

    Why it matters: a stream that the runtime refuses before all of it was written ends without the
    runtime's reason in gRPC for asyncio (https://github.com/grpc/grpc/issues/36066).
    """

    def __init__(self, coming: AsyncIterator[bytes]) -> None:
        self._coming = coming
        self._begun: list[asyncio.Task[bytes | None]] = []

    async def only(self) -> bytes | None:
        """Returns the request if it is the only one; None if there is none, or may be more."""
        first = await self._look()
        if first is None:
            return None
        await self._look()
        return first if self._begun[1].done() and self._begun[1].result() is None else None

    async def all(self) -> AsyncIterator[bytes]:
        """Yields all requests, those that were looked at first."""
        for begun in self._begun:
            request = await begun
            if request is None:
                return
            yield request
        async for request in self._coming:
            yield request

    def close(self) -> None:
        """Ends what still waits for a request."""
        for begun in self._begun:
            begun.cancel()

    async def _look(self) -> bytes | None:
        """Returns the next request; None if there is none, or it does not come within a pause."""
        begun = asyncio.ensure_future(anext(self._coming, None))
        self._begun.append(begun)
        done, _ = await asyncio.wait([begun], timeout=PAUSE)
        return begun.result() if done else None
