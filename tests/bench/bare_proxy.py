"""The least that a proxy in grpc.aio can be: ``python bare_proxy.py BACKEND LISTEN``, sockets both.

It passes unary calls as bytes and keeps none of the shim's rules. What it adds is what gRPC's
event loop in Python costs, twice.
"""

import asyncio
import sys
from typing import Any, Final

import grpc
from grpc import aio

OPTIONS: Final = (
    ("grpc.default_authority", "localhost"),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
)


class Passing(grpc.GenericRpcHandler):
    """Passes every method on."""

    def __init__(self, channel: aio.Channel) -> None:
        self._channel = channel
        self._known: dict[str, Any] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Returns the handler of a method."""
        method = handler_call_details.method
        if method not in self._known:
            ask: Any = self._channel.unary_unary(method)

            async def answer(request: bytes, _: Any) -> Any:
                return await ask(request)

            self._known[method] = grpc.unary_unary_rpc_method_handler(answer)
        return self._known[method]


async def serve(backend: str, listen: str) -> None:
    """Serves until the process is killed."""
    async with aio.insecure_channel(f"unix:{backend}", options=OPTIONS) as channel:
        server = aio.server(handlers=[Passing(channel)], options=OPTIONS)
        server.add_insecure_port(f"unix:{listen}")
        await server.start()
        await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
