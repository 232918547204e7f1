"""The issuer's HTTP server: discovery and JWKS of every issuer, under its own host and path.

Documents are answered here and not through a framework, so that one process can serve a fleet.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from pullpass.config.load import load
from pullpass.config.model import Config
from pullpass.config.network import network_of
from pullpass.issuer.audit import audit_of
from pullpass.issuer.caller import node_keys
from pullpass.issuer.documents import Document
from pullpass.issuer.metrics import Metrics
from pullpass.issuer.mint import Minter
from pullpass.issuer.outside import MAX_BODY, Outside
from pullpass.issuer.places import host_of
from pullpass.issuer.shelf import LOOK, Shelf, Shown
from pullpass.keys.stores import keys_of
from pullpass.keys.transit import IssuerKeys
from pullpass.origin import is_loopback
from pullpass.transport import AsyncHttpTransport

PATIENCE: Final = 10.0  # seconds within which a request's body must be there
EVERY: Final = 5.0  # seconds between two looks at keys that nobody asks for
_TEXT: Final = b"text/plain; charset=utf-8"
_METHODS: Final = frozenset({"GET", "HEAD"})

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]


def create() -> "IssuerServer":
    """Returns the server of the configured issuers. Raises: ConfigError."""
    config = load()
    return application(config, keys_of(config))


def check() -> Config:
    """Returns the settings, if the server can work by them. Raises: ConfigError."""
    config = load()
    for issuer in config.issuers.values():
        node_keys(issuer)
    return config


def application(
    config: Config, keys: IssuerKeys, look: float = LOOK, patience: float = PATIENCE
) -> "IssuerServer":
    """Returns a server of config's issuers.

    It looks at keys every look seconds, and waits for a request's body for patience seconds.
    """
    transport = AsyncHttpTransport(network_of(config))
    minter = Minter(issuers=config.issuers, keys=keys, audit=audit_of(config))
    shelf = Shelf(config, keys, transport, look=look)
    return IssuerServer(shelf, Outside(minter, transport), transport, patience)


class IssuerServer:
    """An ASGI application (https://asgi.readthedocs.io/en/latest/specs/www.html)."""

    def __init__(
        self, shelf: Shelf, outside: Outside, transport: AsyncHttpTransport, patience: float
    ) -> None:
        self._shelf = shelf
        self._patience = patience
        self._outside = outside
        self._transport = transport
        self._metrics = Metrics(shelf)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or lives through a lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            answer = await self._posted(scope, receive) or await self._answer(scope)
            await _send(answer, send, head=scope["method"] == "HEAD")

    async def _posted(self, scope: Scope, receive: Receive) -> "_Answer | None":
        """Answers who asks for a token; None where none can be asked for."""
        if scope["method"] != "POST":
            return None
        counter = self._outside.find((host_of(_header(scope, b"host")), scope["path"]))
        if counter is None:
            return None
        body = await _body(receive, self._patience)
        if body is None:
            return _text(413, "the request is too long, or too slow: ask for less\n")
        status, said = await self._outside.mint(counter, _header(scope, b"authorization"), body)
        self._metrics.count("mint", status)
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if status == 429:
            after = ceil(60 / counter.issuer.mints_per_minute)
            headers.append((b"retry-after", str(after).encode()))
        return _Answer(status, json.dumps(said).encode(), tuple(headers))

    async def _answer(self, scope: Scope) -> "_Answer":
        if scope["method"] not in _METHODS:
            return _text(405, "only GET and HEAD are answered\n", (b"allow", b"GET, HEAD"))
        asked = _header(scope, b"host")
        found = await self._shelf.find((host_of(asked), scope["path"]))
        match found:
            case Document():
                answer = _handed_out(found, _header(scope, b"if-none-match"))
                self._metrics.count(found.kind, answer.status)
                return answer
            case Shown():
                self._metrics.count("jwks", 503)
                return _text(503, "the signing key cannot be had: see the server's log\n")
            case None:
                return await self._about(asked, scope["path"])

    async def _about(self, host: str, path: str) -> "_Answer":
        """Answers about the server itself; metrics are for who asks it directly."""
        match path:
            case "/healthz":
                return _text(200, "ok\n")
            case "/readyz":
                return await self._ready()
            case "/metrics" if is_loopback(_name(host)):
                kind = (b"content-type", self._metrics.kind.encode())
                return _Answer(200, self._metrics.told(), (kind,))
        return _text(404, "no issuer is published under this host and path\n")

    async def _ready(self) -> "_Answer":
        for shown in self._shelf.shown:
            await self._shelf.look_at(shown)
        missing = [shown.issuer.name for shown in self._shelf.shown if shown.jwks is None]
        return _text(503, f"no JWKS: {', '.join(missing)}\n") if missing else _text(200, "ok\n")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        looking = asyncio.create_task(self._look())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await self._transport.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _look(self) -> None:
        """Carries keys on in time, whoever asks for them or not."""
        while True:
            for shown in self._shelf.shown:
                await self._shelf.look_at(shown)
            await asyncio.sleep(EVERY)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    headers: tuple[Header, ...]


def _text(status: int, text: str, *headers: Header) -> _Answer:
    return _Answer(status, text.encode(), ((b"content-type", _TEXT), *headers))


def _handed_out(document: Document, known: str) -> _Answer:
    headers = (
        (b"cache-control", document.cache_control.encode()),
        (b"etag", document.etag.encode()),
        (b"access-control-allow-origin", b"*"),
    )
    if known and _is_known(known, document.etag):
        return _Answer(304, b"", headers)
    return _Answer(200, document.body, ((b"content-type", b"application/json"), *headers))


def _is_known(known: str, etag: str) -> bool:
    """Tells whether a cache has that document (RFC 9110 §13.1.2, which compares weakly)."""
    tags = [one.strip().removeprefix("W/") for one in known.split(",")]
    return tags == ["*"] or etag in tags


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _body(receive: Receive, patience: float) -> bytes | None:
    """Returns the body of a request, None if it is too long or takes too long."""
    body = bytearray()
    try:
        async with asyncio.timeout(patience):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > MAX_BODY:
                    return None
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        return None


def _name(host: str) -> str:
    """Returns host without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).strip("[]")


async def _send(answer: _Answer, send: Send, *, head: bool) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    headers = answer.headers if answer.status == 304 else (*answer.headers, length)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
