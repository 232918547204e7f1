"""A container runtime's side of CRI: it pulls for those whom its registry knows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from grpc import StatusCode, aio

from pullpass_plugin._proto.cri_pb2 import AuthConfig, PullImageRequest

PULL: Final = "/runtime.v1.ImageService/PullImage"
# What containerd 1.6.20 says of a registry that takes no anonymous pull.
REFUSED: Final = (
    'failed to pull and unpack image "{image}": failed to resolve reference "{image}": pull access'
    " denied, repository does not exist or may require authorization: server message:"
    " insufficient_scope: authorization failed"
)
_LIMITS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_metadata_size", 1 << 20),
    ("grpc.absolute_max_metadata_size", 1 << 20),
)

Context = aio.ServicerContext[bytes, bytes]
Answer = Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]


@dataclass(slots=True, eq=False)
class Call:
    """One call as it arrived.

    Attributes:
        left: seconds to its deadline, None without one.
        ended: set once nobody waits for it any longer.
    """

    method: str
    metadata: tuple[tuple[str, str | bytes], ...]
    left: float | None
    messages: list[bytes] = field(default_factory=list)
    broken_off: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pull(self) -> PullImageRequest:
        """Returns the request of a pull."""
        return PullImageRequest.FromString(self.messages[0])

    @property
    def auth(self) -> AuthConfig:
        """Returns the credential of a pull."""
        return self.pull.auth


@dataclass(slots=True, eq=False)
class Runtime(grpc.GenericRpcHandler):
    """Answers each method as ``answers`` says, and pulls by itself.

    Attributes:
        taken: the passwords that its registry takes; None asks for none.
        says: its error for all others.
        gate: pulls wait until it is set.
    """

    taken: set[str] | None = None
    says: str = REFUSED
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.answers.setdefault(PULL, self._pull)

    @property
    def pulls(self) -> list[Call]:
        """Returns the calls of PullImage."""
        return [call for call in self.calls if call.method.endswith("/PullImage")]

    async def call(self, number: int = 0) -> Call:
        """Returns the call of that number once it has arrived."""
        async with asyncio.timeout(10):
            while len(self.calls) <= number:
                self.arrived.clear()
                await self.arrived.wait()
        return self.calls[number]

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Serves all kinds of calls as streams, which is what they are on the wire."""
        method = handler_call_details.method
        answer = self.answers.get(method)
        if answer is None:
            return None

        async def told(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
            call = self._begin(method, context)
            try:
                async for message in answer(_noted(requests, call), context):
                    yield message
            except asyncio.CancelledError:
                call.broken_off = True
                raise
            finally:
                call.ended.set()

        return grpc.stream_stream_rpc_method_handler(told)

    def _begin(self, method: str, context: Context) -> Call:
        left: float | None = context.time_remaining()
        call = Call(method, tuple(context.invocation_metadata() or ()), left)
        self.calls.append(call)
        self.arrived.set()
        return call

    async def _pull(self, requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        request = PullImageRequest.FromString(await anext(requests))
        await self.gate.wait()
        if self.taken is not None and request.auth.password not in self.taken:
            await context.abort(StatusCode.UNKNOWN, self.says.format(image=request.image.image))
        yield b"\x0a\x03ref"


async def echo(requests: AsyncIterator[bytes], _: Context) -> AsyncIterator[bytes]:
    """Answers each message with itself."""
    async for request in requests:
        yield request


async def _noted(requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
    async for message in requests:
        call.messages.append(message)
        yield message


@asynccontextmanager
async def listening(runtime: Runtime, socket: Path) -> AsyncIterator[None]:
    """Runs runtime at socket for the length of a block; its end breaks off what still runs."""
    server = aio.server(handlers=[runtime], options=_LIMITS)
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)
