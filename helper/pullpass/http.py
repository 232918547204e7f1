"""Requests, answers and flows, and what a transport is. Pure; ``transport`` has the real ones.

A flow is a generator which yields requests and is sent responses, so that what is asked and how
an answer is read can be told without a socket. ``run`` and ``run_async`` drive it.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from pullpass.errors import PullpassError, TransportError

MAX_BODY: Final = 1 << 20  # bytes; the longest honest answer, a Google token, has about 12 kB
MAX_SKEW: Final = 30  # seconds between two clocks; what most relying parties allow at least
_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"  # RFC 9110 §5.6.7: the one form that is sent today

T = TypeVar("T")
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Asked_contra = TypeVar("Asked_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. URL, headers and body may hold secrets and are not shown.

    Attributes:
        headers: names in any case.
        max_body: the longest answer that is taken, in bytes.
        patient: whether an answer that says «not now, ask again in a few seconds» is followed,
            within the time that the transport has.
        link_local: whether plain http may go to a link-local address, where platforms keep what
            they tell a machine about itself.
        authorities: certificates in PEM that alone are believed, empty for the network's.
        socket: a Unix socket that is spoken to, whatever the URL's host.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    max_body: int = MAX_BODY
    patient: bool = False
    link_local: bool = False
    authorities: str = field(default="", repr=False)
    socket: str = ""

    @property
    def origin(self) -> str:
        """Returns ``scheme://host[:port]``, or the socket: all that an error may say of the URL."""
        if self.socket:
            return f"the socket {self.socket}"
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

    @property
    def retry_after(self) -> int | None:
        """Returns after how many seconds to ask again, None where that is not said in seconds."""
        # RFC 9110 §10.2.3; the other form, a date, depends on whose clock is right.
        text = self.headers.get("retry-after", "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


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


class Edge(Protocol[Asked_contra, Answer_co]):
    """Does what a flow asks for: a Transport, or what does more than to send. Raises our errors."""

    def send(self, request: Asked_contra, /) -> Answer_co:
        """Returns what came of request."""


class AsyncEdge(Protocol[Asked_contra, Answer_co]):
    """As Edge, for an event loop."""

    async def send(self, request: Asked_contra, /) -> Answer_co:
        """Returns what came of request."""


def run(flow: Generator[Asked, Answer, T], edge: Edge[Asked, Answer]) -> T:
    """Drives flow over edge, throws the errors of that into it, returns what it returns."""
    driven = run_async(flow, _AtOnce(edge))
    try:
        driven.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise RuntimeError("a transport that answers at once has nothing to wait for")


async def run_async(flow: Generator[Asked, Answer, T], edge: AsyncEdge[Asked, Answer]) -> T:
    """As ``run``, for an event loop."""
    try:
        request = next(flow)
        while True:
            try:
                answer = await edge.send(request)
            except PullpassError as error:
                request = flow.throw(error)
            else:
                request = flow.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


@dataclass(frozen=True, slots=True)
class _AtOnce(Generic[Asked, Answer]):
    """A blocking edge as one for an event loop that is none: nothing is ever awaited."""

    edge: Edge[Asked, Answer]

    async def send(self, request: Asked) -> Answer:
        return self.edge.send(request)


class Offline:
    """A Transport which has no network: for flows that find on this host all they need."""

    def send(self, request: Request) -> Response:
        """Returns nothing. Raises: TransportError."""
        raise TransportError(f"{request.origin}: not asked, since this step stays on this host")
