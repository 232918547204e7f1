"""Transports over real connections: with ``pool`` and ``streams``, the only door to httpcore.

Rules kept here: no redirect is followed, every body is bounded, every wait has a deadline (though
a process ends only once the resolver has given up what it was asked), plain http goes to loopback
only, or to a link-local address where a request says so, and neither goes through a proxy.
"""

import asyncio
import errno
import os
import re
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit

import h11
import httpcore

from pullpass import __version__
from pullpass.errors import TransportError
from pullpass.http import Request, Response
from pullpass.network import DIRECT, Network, Proxy
from pullpass.origin import is_link_local, is_loopback
from pullpass.pool import Pool
from pullpass.trust import authorized, distrust, trusted

_FAILURES: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpcore.ProxyError,
    h11.LocalProtocolError,  # which httpcore lets through where a body is not as long as it says
)
# RFC 3986 §2; urlsplit would drop a line break in silence.
_URL: Final = re.compile(r"[!#-;=?-Z\[\]_a-z~]+")
_FOLDED: Final = re.compile(r"\[Errno (\d+)\]")
_MAX_HOST: Final = 254  # RFC 1035 §2.3.4, written with the root; a resolver may be given any length
_USER_AGENT: Final = f"pullpass/{__version__}"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})  # RFC 9110 §8.6
KEEP: Final = 5.0  # seconds that an idle connection is kept


class HttpTransport:
    """A Transport over real connections, kept alive between requests. A context manager.

    For one thread, outside an event loop: it runs a loop of its own, since only there does a
    deadline end every wait. A blocking read starts its time-out anew with each byte of a header.

    Raises:
        ConfigError: if the network's authorities cannot be read.
    """

    def __init__(self, network: Network = DIRECT) -> None:
        self._transport = AsyncHttpTransport(network)
        self._runner = asyncio.Runner()

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
        ConfigError: if the network's authorities cannot be read.
    """

    def __init__(self, network: Network = DIRECT, keep: float = KEEP) -> None:
        self._network = network
        self._trust = trusted(network.ca_bundle)
        self._pools = {proxy: Pool(self._trust, keep, proxy) for proxy in {None, network.proxy}}

    async def aclose(self) -> None:
        """Closes the connections; no request may be under way."""
        for pool in self._pools.values():
            await pool.aclose()

    async def send(self, request: Request) -> Response:
        """Returns the answer to request. Raises: TransportError."""
        wire = _wire(request, self._network.connect_timeout)
        proxy = None if request.socket else self._network.proxy_for(request.url)
        try:
            async with asyncio.timeout(self._network.timeout) as deadline:
                async with self._pool_of(request, proxy) as pool:
                    answer = await _answer(request, wire, pool)
                    while request.patient and (wait := _wait(answer, deadline)):
                        await asyncio.sleep(wait)
                        answer = await _answer(request, wire, pool)
                    return answer
        except (*_FAILURES, ssl.SSLError, TimeoutError, UnicodeError) as error:
            raise _no_answer(request, error, proxy) from error

    @asynccontextmanager
    async def _pool_of(self, request: Request, proxy: Proxy | None) -> AsyncGenerator[Pool]:
        """Gives the connections for request; its own where it believes or reaches somebody else."""
        if not request.authorities and not request.socket:
            yield self._pools[proxy]
            return
        trust = authorized(request.authorities) if request.authorities else self._trust
        async with aclosing(Pool(trust, 0, proxy, request.socket)) as pool:
            yield pool


async def _answer(request: Request, wire: httpcore.Request, pool: Pool) -> Response:
    body = bytearray()
    answer = await pool.ask(wire, lambda piece: _take(body, piece, request))
    return _response(answer, body)


def _wait(answer: Response, deadline: asyncio.Timeout) -> float:
    """Returns how long to wait before asking again, 0 for not at all.

    These two statuses alone say that nothing was done: after any other, a token that is good for
    one showing may have been shown. As much time stays for the answer as the wait takes.
    """
    if answer.status not in {429, 503} or answer.retry_after is None:
        return 0.0
    wait = max(1.0, answer.retry_after)
    left = (deadline.when() or 0.0) - asyncio.get_running_loop().time()
    return wait if 2 * wait < left else 0.0


def _wire(request: Request, connect_timeout: float) -> httpcore.Request:
    """Returns request as it is sent. Raises: TransportError, where it cannot or must not be."""
    parts = _parts(request)
    _refuse_plaintext(request, parts)
    url = httpcore.URL(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port,
        target=f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/",
    )
    return httpcore.Request(
        request.method,
        url,
        headers=_headers(request, parts.netloc.rpartition("@")[2]),
        content=request.body,
        extensions={"timeout": {"connect": connect_timeout}},
    )


def _parts(request: Request) -> SplitResult:
    try:
        parts = urlsplit(request.url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise TransportError("not a URL that can be asked") from error
    if not (0 < len(host) <= _MAX_HOST and port != 0):
        raise TransportError("not a URL that can be asked")
    if not _URL.fullmatch(request.url):
        raise TransportError(
            "not a URL that can be asked: write its host as DNS has it, and the rest of it with %"
        )
    return parts


def _refuse_plaintext(request: Request, parts: SplitResult) -> None:
    host = parts.hostname or ""
    near = is_loopback(host) or (request.link_local and is_link_local(host))
    if parts.scheme != "https" and not (parts.scheme == "http" and near):
        raise TransportError(f"{request.origin}: refused, since only https is safe beyond loopback")


def _headers(request: Request, host: str) -> list[tuple[bytes, bytes]]:
    # Identity encoding: a bound on the body is then a bound on what is read.
    ours = {"Host": host, "User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
    if request.body or request.method in _WITH_BODY:
        ours["Content-Length"] = str(len(request.body))
    given = {name.lower() for name in request.headers}
    kept = {name: value for name, value in ours.items() if name.lower() not in given}
    try:
        return [
            (name.encode("ascii"), value.encode("ascii"))
            for name, value in {**kept, **request.headers}.items()
        ]
    except UnicodeError as error:
        raise TransportError(f"{request.origin}: a header that cannot be sent") from error


def _take(body: bytearray, chunk: bytes, request: Request) -> None:
    body += chunk
    if len(body) > request.max_body:
        raise TransportError(
            f"{request.origin}: the answer is longer than {request.max_body} bytes"
        )


def _response(answer: httpcore.Response, body: bytearray) -> Response:
    headers: dict[str, str] = {}
    for raw, value in answer.headers:
        name, text = raw.decode("latin-1").lower(), _text(value)
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return Response(status=answer.status, headers=headers, body=bytes(body))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")  # RFC 9110 §5.5: what it once was


def _no_answer(request: Request, error: Exception, proxy: Proxy | None) -> TransportError:
    through = f" through the proxy {proxy.origin}" if proxy else ""
    if isinstance(error, (httpcore.TimeoutException, TimeoutError)):
        why = f"no answer in time{through}; is it reachable from here?"
    elif isinstance(error, httpcore.ProxyError):
        why = f"no answer{through}, which {_refusal(error)}"
    else:
        why = f"no answer{through} ({_reason(error)})"
    return TransportError(f"{request.origin}: {why}")


def _refusal(error: httpcore.ProxyError) -> str:
    status = str(error)
    if status == "407":
        return "asks for a user name and password: write HTTPS_PROXY as http://user:password@host"
    return f"answers {status}: let it allow this host, or name the host in NO_PROXY"


def _reason(error: Exception) -> str:
    """Names the cause without the library's text, which may quote the URL or the peer's bytes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return distrust(cause)
        if isinstance(cause, OSError) and (said := _said(cause)):
            return said
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _said(error: OSError) -> str:
    """Returns what the system says of error, empty where it says nothing."""
    # The loop repeats addresses, and folds the failures of several into one text. TLS and DNS count
    # their errors by themselves.
    if isinstance(error, ConnectionResetError):
        return os.strerror(errno.ECONNRESET)  # which is raised without it in a handshake
    if folded := _FOLDED.findall(str(error)) if error.errno is None else []:
        return os.strerror(int(folded[-1]))
    number = 0 if isinstance(error, ssl.SSLError) else error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or ""
