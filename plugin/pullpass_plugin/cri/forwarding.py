"""Every method of every service, as bytes, from the kubelet to the runtime and back.

Nothing is decoded, so a method or a field that a later Kubernetes adds passes as well. Deadline,
metadata, trailers and cancellation pass with it.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import grpc
from grpc import aio

from pullpass_plugin.cri.methods import SERVER_STREAMS, UNARY
from pullpass_plugin.cri.requests import Requests

Metadata = tuple[tuple[str, str | bytes], ...]
Context = aio.ServicerContext[bytes, bytes]

NO_DEADLINE: Final = 1e8  # seconds; what some versions of gRPC say where there is no deadline
MAX_METADATA: Final = 1 << 20  # bytes; runtimes put whole error texts there, gRPC's limit is 16384
LIMITS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),  # a list of images has more than gRPC's 4 MiB
    ("grpc.max_metadata_size", MAX_METADATA),
    ("grpc.absolute_max_metadata_size", MAX_METADATA),
)
# The defaults grow to two minutes, in which a runtime that is back would not be noticed.
_RECONNECT: Final = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.default_authority", "localhost"),  # Go refuses the path that gRPC would send
)
_OF_THE_HOP: Final = frozenset({"user-agent", "te", "content-type"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the runtime answered to a unary call."""

    message: bytes = field(repr=False)
    initial: Metadata
    trailing: Metadata


class Runtime:
    """A connection to the runtime's socket, which comes back by itself."""

    def __init__(self, channel: aio.Channel) -> None:
        self._channel = channel
        self._unary: dict[str, aio.UnaryUnaryMultiCallable[bytes, bytes]] = {
            method: channel.unary_unary(method) for method in UNARY
        }

    async def ask(self, method: str, request: bytes, context: Context) -> Answer:
        """Returns the runtime's answer to a unary call. Raises: grpc.aio.AioRpcError."""
        call = self._unary[method](
            request,
            timeout=time_left(context.time_remaining()),
            metadata=passed(context.invocation_metadata()),
        )
        message = await call
        return Answer(
            message, _pairs(await call.initial_metadata()), _pairs(await call.trailing_metadata())
        )

    def open(self, method: str, request: bytes, context: Context) -> "Stream":
        """Opens a call which is answered by a stream."""
        opened: aio.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(method)
        return opened(
            request,
            timeout=time_left(context.time_remaining()),
            metadata=passed(context.invocation_metadata()),
        )

    def open_unknown(
        self, method: str, requests: AsyncIterator[bytes], context: Context
    ) -> "Stream":
        """Opens a call of any kind: on the wire a unary one is a stream of one message."""
        opened: aio.StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(method)
        return opened(
            requests,
            timeout=time_left(context.time_remaining()),
            metadata=passed(context.invocation_metadata()),
        )


Stream = aio.UnaryStreamCall[bytes, bytes] | aio.StreamStreamCall[bytes, bytes]


def connected(address: str) -> aio.Channel:
    """Returns a channel to the socket at address. Nothing is asked yet."""
    return aio.insecure_channel(f"unix:{address}", options=[*LIMITS, *_RECONNECT])


async def give(answer: Answer, context: Context) -> bytes:
    """Passes answer's metadata on and returns its message."""
    if answer.initial:
        await context.send_initial_metadata(answer.initial)
    if answer.trailing:
        context.set_trailing_metadata(answer.trailing)
    return answer.message


async def refuse(error: aio.AioRpcError, context: Context) -> NoReturn:
    """Ends the call as the runtime ended it, with its metadata."""
    if initial := _pairs(error.initial_metadata()):
        await context.send_initial_metadata(initial)
    await context.abort(error.code(), error.details() or "", _pairs(error.trailing_metadata()))


def passed(metadata: Iterable[tuple[str, str | bytes]] | None) -> Metadata:
    """Returns the metadata that goes on: all but what belongs to one connection."""
    return tuple(
        (key, value)
        for key, value in metadata or ()
        if key not in _OF_THE_HOP and not key.startswith((":", "grpc-"))
    )


class Handlers(grpc.GenericRpcHandler):
    """Finds for each method how it passes.

    Args:
        runtime: where all goes.
        own: the unary methods that somebody else answers.
    """

    def __init__(self, runtime: Runtime, own: dict[str, Any]) -> None:
        self._runtime = runtime
        known = {method: self._unary(method) for method in UNARY}
        known |= {method: self._server_stream(method) for method in SERVER_STREAMS}
        self._known = known | {
            method: grpc.unary_unary_rpc_method_handler(answer) for method, answer in own.items()
        }

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """Returns the handler of a method, known or not."""
        method = handler_call_details.method
        return self._known.get(method) or self._unknown(method)

    def _unary(self, method: str) -> "grpc.RpcMethodHandler[Any, Any]":
        async def pass_on(request: bytes, context: Context) -> bytes:
            return await forward(self._runtime, method, request, context)

        return grpc.unary_unary_rpc_method_handler(pass_on)

    def _server_stream(self, method: str) -> "grpc.RpcMethodHandler[Any, Any]":
        async def pass_on(request: bytes, context: Context) -> None:
            await _relay(self._runtime.open(method, request, context), context)

        return grpc.unary_stream_rpc_method_handler(pass_on)

    def _unknown(self, method: str) -> "grpc.RpcMethodHandler[Any, Any]":
        async def pass_on(requests: AsyncIterator[bytes], context: Context) -> None:
            with closing(Requests(requests)) as asked:
                only = await asked.only()
                if only is None:
                    call: Stream = self._runtime.open_unknown(method, asked.all(), context)
                else:
                    call = self._runtime.open(method, only, context)
                await _relay(call, context)

        return grpc.stream_stream_rpc_method_handler(pass_on)


async def forward(runtime: Runtime, method: str, request: bytes, context: Context) -> bytes:
    """Asks runtime and answers as it does."""
    try:
        answer = await runtime.ask(method, request, context)
    except aio.AioRpcError as error:
        await refuse(error, context)
    return await give(answer, context)


async def _relay(call: Stream, context: Context) -> None:
    """Passes a stream on to its end, and ends it where nobody reads on."""
    try:
        if initial := _pairs(await call.initial_metadata()):
            await context.send_initial_metadata(initial)
        async for message in call:
            await context.write(message)
        context.set_trailing_metadata(_pairs(await call.trailing_metadata()))
    except aio.AioRpcError as error:
        await refuse(error, context)
    finally:
        call.cancel()  # does nothing to a call that has ended


def time_left(remaining: float | None) -> float | None:
    """Returns the seconds to pass on as a timeout, None where there is no deadline."""
    if remaining is None or remaining > NO_DEADLINE:
        return None
    return max(remaining, 0.0)


def _pairs(metadata: Iterable[tuple[str, str | bytes]] | None) -> Metadata:
    return tuple(metadata or ())
