"""Runs our HTTP servers, and what all of them share. Needs the extra ``server``."""

import json
import logging
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from starlette.requests import Request
from starlette.responses import Response

from pullpass.config.model import Listener
from pullpass.errors import ConfigError, PullpassError

CONNECTIONS: Final = 8192  # at a time; whoever comes then waits until one ends
IDLE: Final = 5_000  # ms that one may be silent; containerd leaves one behind for each pull
_FILES: Final = 256  # that a server has open beside its connections
_LOG: Final = logging.getLogger(__name__)


class BodyTooLong(PullpassError):
    """A request's body is longer than the server takes."""


def serve(factory: str, listener: Listener, check: Callable[[], object] = lambda: None) -> None:
    """Serves what factory, ``package.module:function``, makes until SIGTERM; anew at SIGHUP.

    Args:
        factory: what each worker calls.
        listener: where.
        check: reads the settings again, and raises ours where they are wrong.

    Raises:
        ConfigError: if the address cannot be listened on, or the certificate cannot be used.
    """
    address = _free_address(listener)
    try:
        server = Granian(
            factory,
            factory=True,
            address=address,
            port=listener.port,
            interface=Interfaces.ASGI,
            loop=Loops.asyncio,  # whatever else is installed: HTTP is asked as asyncio's own has it
            log_level=LogLevels.warning,
            ssl_cert=listener.certificate,
            ssl_key=listener.private_key,
            websockets=False,
            backpressure=room(),
            http1_settings=HTTP1Settings(header_read_timeout=IDLE),
        )
    except OSError as error:  # which ssl.SSLError is too
        raise ConfigError(
            f"certificate {listener.certificate} and private_key {listener.private_key} cannot be"
            f" used: {error.strerror or type(error).__name__}: name a PEM chain and its key"
        ) from error
    reload = _checked(server.signal_handler_reload, check)
    server.signal_handler_reload = reload  # type: ignore[method-assign] # its own goes on below
    server.serve()


def _checked(reload: Callable[..., None], check: Callable[[], object]) -> Callable[..., None]:
    """Returns reload, by which new workers take over, but not with settings that are wrong."""

    def reload_if_good(*arguments: Any, **more: Any) -> None:
        try:
            check()
        except PullpassError as error:
            _LOG.error("not reloaded, the old settings stay: %s", error)
        else:
            reload(*arguments, **more)

    return reload_if_good


def room() -> int:
    """Returns how many connections there may be, once this process may have as many files open."""
    try:
        import resource  # noqa: PLC0415 - Windows has no such limit
    except ImportError:
        return CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(1, allowed - _FILES)


def _free_address(listener: Listener) -> str:
    """Returns the number of listener's host, if nobody listens there yet.

    The server itself shares a port with whoever has it (SO_REUSEPORT): two of them would answer by
    turns, each from its own settings.

    Raises:
        ConfigError: if it cannot be listened on.
    """
    try:
        found = socket.getaddrinfo(listener.host, listener.port, type=socket.SOCK_STREAM)
        family, _, _, _, place = found[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # elsewhere it would take the port from whoever has it
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()
    except OSError as error:
        raise ConfigError(
            f"{listener.host} port {listener.port} cannot be listened on: {error.strerror}: stop"
            " what is there, or set another listen"
        ) from error
    return str(place[0])


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
