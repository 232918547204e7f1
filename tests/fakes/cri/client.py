"""A client of CRI, as the kubelet is one: a connection, and calls as bytes."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grpc import aio

from pullpass_plugin._proto.cri_pb2 import AuthConfig, PullImageRequest

V1: Final = "/runtime.v1.ImageService"
# As the kubelet's.
_LIMITS: Final = (
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_metadata_size", 1 << 20),
    ("grpc.absolute_max_metadata_size", 1 << 20),
    ("grpc.default_authority", "localhost"),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 3000),
)

Metadata = tuple[tuple[str, str | bytes], ...]
Call = aio.UnaryUnaryCall[bytes, bytes]


def pull_request(image: str, *, auth: AuthConfig | None = None, **pod: str) -> PullImageRequest:
    """Returns the request for image; pod names the pod's name, uid and namespace."""
    request = PullImageRequest()
    request.image.image = image
    if auth is not None:
        request.auth.CopyFrom(auth)
    for name, value in pod.items():
        setattr(request.sandbox_config.metadata, name, value)
    return request


@dataclass(frozen=True, slots=True)
class Client:
    """Calls over one connection."""

    channel: aio.Channel

    def call(
        self,
        method: str,
        request: bytes = b"",
        *,
        timeout: float | None = None,
        metadata: Metadata = (),
        wait: bool = False,
    ) -> Call:
        """Starts a unary call. Without timeout it has no deadline, as the kubelet's pulls.

        With wait it waits for somebody to listen, which the kubelet's calls do not.
        """
        asked: aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(method)
        return asked(request, timeout=timeout, metadata=metadata, wait_for_ready=wait)

    def pull(
        self,
        image: str,
        *,
        timeout: float | None = None,
        auth: AuthConfig | None = None,
        **pod: str,
    ) -> Call:
        """Starts PullImage."""
        raw = pull_request(image, auth=auth, **pod).SerializeToString()
        return self.call(f"{V1}/PullImage", raw, timeout=timeout)

    def stream(self, method: str, requests: Iterable[bytes]) -> aio.StreamStreamCall[bytes, bytes]:
        """Starts a call with messages in both directions."""
        asked: aio.StreamStreamMultiCallable[bytes, bytes] = self.channel.stream_stream(method)
        return asked(iter(requests))

    def talk(self, method: str) -> aio.StreamStreamCall[bytes, bytes]:
        """Starts a call whose messages the caller writes and reads one by one."""
        asked: aio.StreamStreamMultiCallable[bytes, bytes] = self.channel.stream_stream(method)
        return asked()

    async def refused(self, call: Call) -> aio.AioRpcError:
        """Returns the error that call must end with."""
        try:
            await call
        except aio.AioRpcError as error:
            return error
        raise AssertionError("the call was answered")


@asynccontextmanager
async def connected(socket: Path) -> AsyncIterator[Client]:
    """Gives a client of whoever listens at socket."""
    async with aio.insecure_channel(f"unix:{socket}", options=_LIMITS) as channel:
        yield Client(channel)
