"""Sources over real connections: HTTP, TLS of the cluster's authority, and two kinds of sockets."""

import asyncio
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

import grpc
import pytest
import trustme

from fakes.endpoint import answering, handler
from fakes.platforms import NOW, REGISTRY, WEB, Platform, token
from fakes.proxy import certified
from fakes.settings import refusal_of
from fakes.workload_api import FIRST, WorkloadApi, serving
from pullpass.errors import IdentityError
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


@pytest.mark.parametrize("shows", [show, show_in_a_loop])
def test_what_is_asked_passes_through_http(web: Platform, shows: Show) -> None:
    with answering(returned(web)) as origin:
        assert shows(web, origin).token.reveal() == token()


@pytest.mark.parametrize("name", ["gcp", "azure", "aws machine"])
def test_a_machine_without_metadata_is_told_so(name: str, tmp_path: Path) -> None:
    platform = WEB[name](tmp_path)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        platform.told = {**platform.told, "endpoint": f"http://127.0.0.1:{port}"}
        with pytest.raises(IdentityError) as refused:
            here(platform)
    assert refusal_of(refused.value) == (
        f"here: http://127.0.0.1:{port}: no answer (Connection refused)"
    )


def cluster(directory: Path, origin: str, authority: trustme.CA) -> Platform:
    """Returns a pod whose API server is at origin, and which believes authority."""
    platform = WEB["kubernetes-token-request"](directory)
    authority.cert_pem.write_to_path(directory / "ca.crt")
    platform.told = {**platform.told, "server": origin}
    return platform


@pytest.fixture
def api_server(tmp_path: Path) -> Iterator[tuple[str, trustme.CA]]:
    """An API server with a certificate of the cluster's own authority."""
    authority = trustme.CA()
    endpoint = WEB["kubernetes-token-request"](tmp_path).endpoint

    def send(request: Request) -> Response:
        at = f"https://10.96.0.1:6443{urlsplit(request.url).path}"
        return endpoint.send(replace(request, url=at))

    with answering(send, certified(authority, "127.0.0.1")) as origin:
        yield origin, authority


def test_the_api_server_is_believed_by_the_clusters_own_authority(
    api_server: tuple[str, trustme.CA], tmp_path: Path
) -> None:
    assert here(cluster(tmp_path, *api_server)).token.reveal() == token()


@pytest.mark.parametrize(
    ("authority", "says"),
    [
        (trustme.CA().cert_pem.bytes().decode(), "its certificate is not trusted: "),
        ("", "its certificate is not trusted: "),
        ("hunter2", "its authorities are no certificates in PEM"),
    ],
)
def test_nobody_else_is_taken_for_the_api_server(
    authority: str, says: str, api_server: tuple[str, trustme.CA], tmp_path: Path
) -> None:
    platform = cluster(tmp_path, *api_server)
    (tmp_path / "ca.crt").write_text(authority)
    with pytest.raises(IdentityError) as refused:
        here(platform)
    assert says in refusal_of(refused.value)


def test_the_api_server_needs_a_certificate_of_its_own_name(tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = certified(authority, "other.example")
    with answering(lambda _: Response(status=200), tls) as origin:
        platform = cluster(tmp_path, origin, authority)
        with pytest.raises(IdentityError, match="ask for the name that it was made for"):
            here(platform)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="id-") as made:
        yield Path(made)


class UnixServer(ThreadingHTTPServer):
    """An HTTP server on a Unix socket."""

    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 0

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, _ = self.socket.accept()
        return connection, ("socket", 0)


@contextmanager
def on_socket(send: Callable[[Request], Response], path: Path) -> Iterator[None]:
    answers = handler(send, "http", [])
    answers.disable_nagle_algorithm = False
    with UnixServer(str(path), answers) as server:  # type: ignore[arg-type] # a path
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def test_flys_machine_api_is_asked_on_its_socket(place: Path) -> None:
    platform = WEB["fly"](place)
    with on_socket(platform.endpoint.send, place / "api"):
        assert here(platform).token.reveal() == token()


def test_a_socket_where_nobody_listens_is_told(place: Path) -> None:
    with pytest.raises(IdentityError, match=r"the socket .*/api: no answer \(No such file"):
        here(WEB["fly"](place))


def spiffe(endpoint: str, **told: str) -> Platform:
    return Platform(source="spiffe", told=told, environ={"SPIFFE_ENDPOINT_SOCKET": endpoint})


def test_the_workload_api_gives_its_first_identity(place: Path) -> None:
    api = WorkloadApi()
    with serving(api, place / "api.sock") as endpoint:
        assert here(spiffe(endpoint)).token.reveal() == token()
    (request,) = api.asked
    assert (list(request.audience), request.spiffe_id) == ([REGISTRY], "")


def test_the_workload_api_gives_the_identity_that_is_named(place: Path) -> None:
    api = WorkloadApi()
    with serving(api, place / "api.sock") as endpoint:
        here(spiffe("unix:///elsewhere", socket=endpoint, spiffe_id=FIRST))
        here(spiffe(endpoint.replace("unix://", "unix:")))
    assert [request.spiffe_id for request in api.asked] == [FIRST, ""]


def test_the_workload_api_is_asked_within_an_event_loop(place: Path) -> None:
    with serving(WorkloadApi(), place / "api.sock") as endpoint:
        assert show_in_a_loop(spiffe(endpoint), "").token.reveal() == token()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (
            grpc.StatusCode.PERMISSION_DENIED,
            "PERMISSION_DENIED: it has no identity for this process",
        ),
        (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT: it does not take the audience"),
        (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE: nobody answers there"),
        (grpc.StatusCode.INTERNAL, "INTERNAL: look at the log of SPIFFE's agent"),
    ],
)
def test_a_refusal_of_the_workload_api_is_translated(
    status: grpc.StatusCode, says: str, place: Path
) -> None:
    with serving(WorkloadApi(refuses=status), place / "api.sock") as endpoint:
        said = refused(spiffe(endpoint))
    assert says in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("api", "says"),
    [
        (WorkloadApi(empty=True), "answers without a token: register the workload"),
        (WorkloadApi(gives=lambda _: ""), "answers without a token"),
        (WorkloadApi(gives=lambda _: "hunter2"), "not a signed JWT"),
        (WorkloadApi(gives=lambda _: token("other.example")), "is for other.example"),
        (WorkloadApi(gives=lambda _: token(exp=NOW)), "expired"),
        (WorkloadApi(gives=lambda _: "x" * 70_000), "RESOURCE_EXHAUSTED"),
    ],
)
def test_what_the_workload_api_should_not_give_is_shown_to_nobody(
    api: WorkloadApi, says: str, place: Path
) -> None:
    with serving(api, place / "api.sock") as endpoint:
        assert says in refused(spiffe(endpoint))


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("unix:///nowhere/api.sock", "UNAVAILABLE: nobody answers there"),
        ("/run/spire/api.sock", "is no socket of SPIFFE: write unix:///run"),
        ("http://127.0.0.1", "is no socket of SPIFFE"),
        ("unix:relative", "is no socket of SPIFFE"),
        ("tcp:127.0.0.1:1", "is no socket of SPIFFE"),
    ],
)
def test_an_endpoint_where_nobody_is_says_so(endpoint: str, says: str) -> None:
    assert says in refused(spiffe(endpoint))


def test_the_workload_api_may_listen_on_tcp() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        assert f"the Workload API at {endpoint} answers UNAVAILABLE" in refused(spiffe(endpoint))


def refused(platform: Platform) -> str:
    with pytest.raises(IdentityError) as error:
        here(platform)
    return refusal_of(error.value)
