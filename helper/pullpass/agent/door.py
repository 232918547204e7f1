"""Connections to the agent: one request and one reply each, all of them within bounds."""

import asyncio
import select
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from pullpass.agent.counters import Counters
from pullpass.agent.peer import Peer, peer_of
from pullpass.agent.protocol import Reply, Request, Status, parse_request, render_reply
from pullpass.errors import MalformedInput

PATIENCE: Final = 5.0  # seconds for a request to come whole, and for its reply to be taken

Answer = Callable[[Request, Peer], Awaitable[Reply]]


class Door:
    """Admits connections and passes what they ask to answer.

    Attributes:
        answer: may be replaced at any time; requests in progress keep the one they have.
        patience: seconds for a request to come whole, and for its reply to be taken.
    """

    def __init__(
        self,
        answer: Answer,
        counters: Counters,
        *,
        most: int,
        most_per_user: int,
        patience: float = PATIENCE,
    ) -> None:
        self.answer = answer
        self.patience = patience
        self.counters = counters
        self._most = most
        self._most_per_user = most_per_user
        self._inside: set[_Connection] = set()
        self._users: Counter[int] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()

    def __call__(self) -> asyncio.Protocol:
        """Returns the protocol of a new connection."""
        return _Connection(self)

    def __len__(self) -> int:
        return len(self._inside)

    def admit(self, connection: "_Connection", uid: int) -> bool:
        """Lets connection of user uid in, if the bounds allow it."""
        if len(self._inside) >= self._most or self._users[uid] >= self._most_per_user:
            self.counters.refused += 1
            return False
        self._inside.add(connection)
        self._users[uid] += 1
        self._empty.clear()
        return True

    def leave(self, connection: "_Connection", uid: int) -> None:
        """Notes that connection has ended."""
        if connection in self._inside:
            self._inside.remove(connection)
            self._users -= Counter([uid])
        if not self._inside:
            self._empty.set()

    async def drain(self, seconds: float) -> int:
        """Lets running requests end within seconds, ends all else, returns how many it cut off."""
        for connection in list(self._inside):
            if not connection.works:
                connection.abort()
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            pass  # what is left has had its time
        left = list(self._inside)
        for connection in left:
            connection.abort()
        return len(left)


class _Connection(asyncio.Protocol):
    """One connection, from its first byte to its last."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._came = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport
        self._peer: Peer
        self._timer: asyncio.TimerHandle | None = None

    @property
    def works(self) -> bool:
        """Tells whether a whole request came."""
        return self._task is not None

    def abort(self) -> None:
        """Ends the connection at once."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream's is no other
        self._transport = transport
        self._peer = Peer(uid=-1, gids=frozenset(), pid=0)
        try:
            self._peer = peer_of(transport.get_extra_info("socket"))
        except OSError:
            transport.abort()
            return
        if self._door.admit(self, self._peer.uid):
            self._be_patient()
        else:
            transport.write(render_reply(Reply(status=Status.SELF)))
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._came += data
        try:
            request = parse_request(self._came)
        except MalformedInput as error:
            self._door.counters.malformed += 1
            self._cancel()
            self._say(Reply(status=Status.ERROR, body=f"no request: {error}\n".encode()))
            return
        if request:
            self._rest()
            self._task = asyncio.create_task(self._work(request))

    def eof_received(self) -> bool:
        """Tells whether to stay open: for whoever only said that nothing more will come."""
        if self._task and not _hung_up(self._transport.get_extra_info("socket")):
            return True
        if not self._task:
            self._door.counters.malformed += 1
        return False

    def connection_lost(self, _: Exception | None) -> None:
        self._rest()
        self._cancel()
        self._came.clear()
        self._door.leave(self, self._peer.uid)

    async def _work(self, request: Request) -> None:
        self._say(await self._door.answer(request, self._peer))

    def _say(self, reply: Reply) -> None:
        self._transport.write(render_reply(reply))
        self._transport.close()
        self._be_patient()

    def _be_patient(self) -> None:
        self._rest()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._door.patience, self._give_up)

    def _give_up(self) -> None:
        self._door.counters.malformed += not self.works
        self._transport.abort()

    def _rest(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _cancel(self) -> None:
        if self._task and not self._task.done():
            self._task.cancel()


def _hung_up(connection: socket.socket) -> bool:
    """Tells whether the other end is gone, and not only silent (poll(2): POLLHUP)."""
    poll = select.poll()
    poll.register(connection.fileno(), 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
