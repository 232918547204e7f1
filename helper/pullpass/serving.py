"""Runs our HTTP servers, and what all of them share. Needs the extra ``server``."""

import json
from collections.abc import Mapping
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from starlette.requests import Request
from starlette.responses import Response

from pullpass.config.model import Listener
from pullpass.errors import PullpassError


class BodyTooLong(PullpassError):
    """A request's body is longer than the server takes."""


def serve(factory: str, listener: Listener) -> None:
    """Serves what factory, ``package.module:function``, makes until SIGTERM."""
    Granian(
        factory,
        factory=True,
        address=listener.host,
        port=listener.port,
        interface=Interfaces.ASGI,
        log_level=LogLevels.warning,
        ssl_cert=listener.certificate,
        ssl_key=listener.private_key,
        websockets=False,
    ).serve()


async def read_body(request: Request, limit: int) -> bytes:
    """Returns the body of request, chunked or not.

    Raises:
        BodyTooLong: if it has more than limit bytes.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLong(f"the request's body is longer than {limit} bytes")
    return bytes(body)


def json_response(
    content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Returns content as JSON that nobody may store, unless headers say otherwise."""
    found = {"Cache-Control": "no-store", **(headers or {})}
    body = json.dumps(content, separators=(",", ":"))
    return Response(body, status, headers=found, media_type="application/json")
