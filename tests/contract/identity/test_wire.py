"""Sources over real connections: HTTP, TLS of the cluster's authority, and a Unix socket."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import trustme

from fakes.endpoint import answering, handler
from fakes.platforms import WEB, Platform, token
from fakes.platforms.wire import Show, here, returned, show, show_in_a_loop
from fakes.proxy import certified
from fakes.settings import refusal_of
from pullpass.errors import IdentityError
from pullpass.http import Request, Response


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
