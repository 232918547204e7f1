"""What a platform shows over real connections."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from fakes.platforms import NOW, REGISTRY, Platform
from pullpass.http import AsyncTransport, Request, Response, Transport, run, run_async
from pullpass.identity.catalog import fetch
from pullpass.identity.edge import LocalEdge, LoopEdge
from pullpass.identity.token import SubjectToken
from pullpass.transport import AsyncHttpTransport, HttpTransport

ASKED_OF: Final = "x-asked-of"  # whom a request is for that loopback stands for

Show = Callable[[Platform, str], SubjectToken]


@dataclass(frozen=True)
class Loopback:
    """A network on which every origin is at one of loopback's."""

    transport: Transport
    origin: str

    def send(self, request: Request) -> Response:
        return self.transport.send(moved(request, self.origin))


@dataclass(frozen=True)
class AsyncLoopback:
    """As Loopback, for an event loop."""

    transport: AsyncTransport
    origin: str

    async def send(self, request: Request) -> Response:
        return await self.transport.send(moved(request, self.origin))


def moved(request: Request, origin: str) -> Request:
    near = replace(request, socket="", authorities="")
    headers = {**near.headers, ASKED_OF: near.origin}
    return replace(near, url=origin + near.url.removeprefix(near.origin), headers=headers)


def returned(platform: Platform) -> Callable[[Request], Response]:
    """Returns the platform's endpoint as loopback stands for it."""

    def send(request: Request) -> Response:
        headers = {name.lower(): text for name, text in request.headers.items()}
        parts = urlsplit(request.url)
        at = f"{parts.path}?{parts.query}" if parts.query else parts.path
        url = headers.pop(ASKED_OF) + at
        return platform.endpoint.send(replace(request, url=url, headers=headers))

    return send


def show(platform: Platform, origin: str) -> SubjectToken:
    flow = fetch(platform.identity, REGISTRY, platform.environ, lambda: float(NOW))
    with HttpTransport() as transport:
        return run(flow, LocalEdge(Loopback(transport, origin)))


def show_in_a_loop(platform: Platform, origin: str) -> SubjectToken:
    async def once() -> SubjectToken:
        flow = fetch(platform.identity, REGISTRY, platform.environ, lambda: float(NOW))
        transport = AsyncHttpTransport()
        try:
            return await run_async(flow, LoopEdge(AsyncLoopback(transport, origin)))
        finally:
            await transport.aclose()

    return asyncio.run(once())


def here(platform: Platform) -> SubjectToken:
    """Shows platform's identity with nothing in between."""
    flow = fetch(platform.identity, REGISTRY, platform.environ, lambda: float(NOW))
    with HttpTransport() as transport:
        return run(flow, LocalEdge(transport))
