"""The only door to HTTP.

A flow is a generator which yields requests and is sent responses, so that what is asked and how
an answer is read can be told without a socket. ``run`` and ``run_async`` drive it.

Rules kept here: no redirect is followed, every body is bounded, every wait has a deadline, plain
http goes to loopback only and never through a proxy.
"""

import asyncio
import os
import ssl
from collections.abc import Generator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from pullpass import __version__
from pullpass.errors import ConfigError, TransportError
from pullpass.origin import is_loopback

MAX_BODY: Final = 1 << 20  # bytes; the longest honest answer, a Google token, has about 12 kB
TIMEOUT: Final = 10.0  # seconds for a whole request, answer included
CONNECT_TIMEOUT: Final = 5.0  # seconds
MAX_SKEW: Final = 30  # seconds between two clocks; what most relying parties allow at least
_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"  # RFC 9110 §5.6.7: the one form that is sent today
KEEP: Final = 5.0  # seconds that an idle connection is kept

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. URL, headers and body may hold secrets and are not shown.

    Attributes:
        headers: names in any case.
        max_body: the longest answer that is taken, in bytes.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    max_body: int = MAX_BODY

    @property
    def origin(self) -> str:
        """Returns ``scheme://host[:port]``: all that an error may say of the URL."""
        try:
            parts = urlsplit(self.url)
        except ValueError:
            return "an unreadable URL"
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer. Header names are in lower case; a header sent twice is joined by a comma."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def date(self) -> float | None:
        """Returns the sender's clock in Unix seconds, None where it tells none that can be read."""
        try:
            date = datetime.strptime(self.headers.get("date", ""), _DATE).replace(tzinfo=UTC)
        except ValueError:
            return None
        return date.timestamp()


Flow = Generator[Request, Response, T]


class Transport(Protocol):
    """Sends one request and returns its answer, whatever the status.

    Raises only TransportError: no answer, too late, too long, or forbidden by the rules above.
    """

    def send(self, request: Request) -> Response:
        """Returns the answer to request."""


class AsyncTransport(Protocol):
    """As Transport, for an event loop."""

    async def send(self, request: Request) -> Response:
        """Returns the answer to request."""


def run(flow: Flow[T], transport: Transport) -> T:
    """Drives flow over transport, throws its TransportErrors into it, returns what it returns."""
    driven = run_async(flow, _AtOnce(transport))
    try:
        driven.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise RuntimeError("a transport that answers at once has nothing to wait for")


async def run_async(flow: Flow[T], transport: AsyncTransport) -> T:
    """As ``run``, for an event loop."""
    try:
        request = next(flow)
        while True:
            try:
                response = await transport.send(request)
            except TransportError as error:
                request = flow.throw(error)
            else:
                request = flow.send(response)
    except StopIteration as stop:
        result: T = stop.value
        return result


@dataclass(frozen=True, slots=True)
class _AtOnce:
    """A blocking transport as one for an event loop that is none: nothing is ever awaited."""

    transport: Transport

    async def send(self, request: Request) -> Response:
        return self.transport.send(request)


class HttpTransport:
    """A Transport over real connections, kept alive between requests. A context manager.

    For one thread, outside an event loop: it runs a loop of its own, since only there does a
    deadline end every wait. A blocking read starts its time-out anew with each byte of a header.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._runner = asyncio.Runner()
        self._transport = AsyncHttpTransport(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with self._runner:
            self._runner.run(self._transport.aclose())

    def send(self, request: Request) -> Response:
        """Returns the answer to request. Raises: TransportError."""
        return self._runner.run(self._transport.send(request))


class AsyncHttpTransport:
    """As HttpTransport, for an event loop; an idle connection is kept for keep seconds.

    Raises:
        ConfigError: if the environment names a proxy that cannot be used.
    """

    def __init__(self, timeout: float = TIMEOUT, keep: float = KEEP) -> None:
        self._timeout = timeout
        self._client = _client(_trust(), keep)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def send(self, request: Request) -> Response:
        """Returns the answer to request. Raises: TransportError."""
        _refuse_plaintext(request)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._answer(request)
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            ssl.SSLError,
            TimeoutError,
            UnicodeError,
        ) as error:
            raise _no_answer(request, error) from error

    async def _answer(self, request: Request) -> Response:
        body = bytearray()
        answer = await self._client.send(_wire(request), stream=True)
        async with aclosing(answer):
            async for chunk in answer.aiter_raw():
                _take(body, chunk, request)
        return _response(answer, body)


def _trust() -> ssl.SSLContext:
    # The host's own store, as other clients use; honours SSL_CERT_FILE and SSL_CERT_DIR.
    return ssl.create_default_context()


def _client(trust: ssl.SSLContext, keep: float) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=keep)
    try:
        return httpx.AsyncClient(
            verify=trust,
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
            limits=limits,
            mounts={"http://": httpx.AsyncHTTPTransport(verify=trust, limits=limits)},
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:  # SOCKS wants a package more
        raise ConfigError(
            "the proxy that the environment names cannot be used: let HTTPS_PROXY and ALL_PROXY be"
            " http://host:port, and NO_PROXY a list of hosts"
        ) from error


def _wire(request: Request) -> httpx.Request:
    # Identity encoding: a bound on the body is then a bound on what is read.
    headers = {"User-Agent": f"pullpass/{__version__}", "Accept-Encoding": "identity"}
    return httpx.Request(
        request.method, request.url, headers={**headers, **request.headers}, content=request.body
    )


def _refuse_plaintext(request: Request) -> None:
    try:
        parts = urlsplit(request.url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise TransportError("not a URL that can be asked") from error
    if not host or port == 0:
        raise TransportError("not a URL that can be asked")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise TransportError(f"{request.origin}: refused, since only https is safe beyond loopback")


def _take(body: bytearray, chunk: bytes, request: Request) -> None:
    body += chunk
    if len(body) > request.max_body:
        raise TransportError(
            f"{request.origin}: the answer is longer than {request.max_body} bytes"
        )


def _response(answer: httpx.Response, body: bytearray) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(status=answer.status_code, headers=headers, body=bytes(body))


def _no_answer(request: Request, error: Exception) -> TransportError:
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return TransportError(f"{request.origin}: no answer in time; is it reachable from here?")
    return TransportError(f"{request.origin}: no answer ({_reason(error)})")


def _reason(error: Exception) -> str:
    """Names the cause without the library's text, which may quote the URL or the peer's bytes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, OSError) and cause.strerror:
            # The loop's own text repeats the address; TLS and DNS count their errors by themselves.
            number = 0 if isinstance(cause, ssl.SSLError) else cause.errno or 0
            return os.strerror(number) if number > 0 else cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
