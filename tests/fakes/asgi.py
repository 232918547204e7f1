"""Asks an ASGI application without a socket."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx


def ask(
    app: Any,
    url: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> httpx.Response:
    """Returns app's answer to one request. An exception in app is raised here."""

    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client:
            return await client.request(method, url, headers=headers, content=body)

    return asyncio.run(asyncio.wait_for(once(), timeout=30))
