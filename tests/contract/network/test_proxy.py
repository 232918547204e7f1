"""What goes through a proxy, and what is said where it does not let it."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from fakes.loop import in_a_loop
from fakes.loopback import Loopback, listening
from fakes.proxy import Asked, certified, proxying
from fakes.sending import PATIENT, Sends
from fakes.settings import refusal_of
from pullpass.errors import TransportError
from pullpass.http import Request, Response
from pullpass.network import Network, parse_proxy
from pullpass.transport import AsyncHttpTransport, HttpTransport

NAME = "reg.example"
TARGET = f"{NAME}:443"
URL = f"https://{NAME}/plain"
PLACES = 110  # more than a transport has


@contextmanager
def through(server: Loopback, *, wants: str = "", answer: int = 200) -> Iterator[Asked]:
    asked = Asked(routes={TARGET: server.server_port}, wants=wants, answer=answer)
    with proxying(asked):
        yield asked


def by(proxy: str, ca: Path, *no_proxy: str) -> Network:
    return Network(
        proxy=parse_proxy(proxy), ca_bundle=ca, no_proxy=no_proxy, timeout=PATIENT.timeout
    )


def get(url: str = URL) -> Request:
    return Request(method="GET", url=url, headers={"Authorization": "hunter2"})


def refused(ask: Sends, network: Network, url: str = f"{URL}?hunter2") -> str:
    with pytest.raises(TransportError) as failed:
        ask(get(url), network)
    said = refusal_of(failed.value)
    assert "hunter2" not in said
    return said


def tls_of(authority: trustme.CA, scheme: str) -> ssl.SSLContext | None:
    return certified(authority, "127.0.0.1") if scheme == "https" else None


@contextmanager
def silent_end() -> Iterator[tuple[socket.socket, Asked]]:
    """Gives who takes connections and says nothing, and a proxy's way there."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent, Asked(routes={TARGET: silent.getsockname()[1]})


def ended(silent: socket.socket) -> bool:
    """Tells whether the first connection to silent ends, in less time than TLS takes to part."""
    connection, _ = silent.accept()
    with connection:
        connection.settimeout(10)
        while connection.recv(1 << 16):
            pass
    return True


def test_https_goes_through_the_proxy_with_tls_to_its_end(
    ask: Sends, server: Loopback, ca: Path
) -> None:
    with through(server) as asked:
        answer = ask(get(), by(asked.origin, ca))
    assert answer.body == b"hello"
    assert (asked.seen, server.seen) == ([TARGET], ["/plain"])


def test_a_connection_through_a_proxy_is_kept_for_the_next_request(
    server: Loopback, ca: Path
) -> None:
    with through(server) as asked, HttpTransport(by(asked.origin, ca)) as transport:
        answers: list[Response] = [transport.send(get()) for _ in range(2)]
    assert [answer.body for answer in answers] == [b"hello"] * 2
    assert asked.seen == [TARGET]


@pytest.mark.parametrize(
    ("written", "meant"), [("me:a%40b%3Ac", "me:a@b:c"), ("me:p%C3%A4ss", "me:päss")]
)
def test_the_proxy_is_shown_its_user_and_password_and_the_server_is_not(
    ask: Sends, server: Loopback, ca: Path, written: str, meant: str
) -> None:
    with through(server, wants=meant) as asked:
        proxy = asked.origin.replace("://", f"://{written}@")
        answer = ask(Request(method="GET", url=f"https://{NAME}/told"), by(proxy, ca))
    assert answer.status == 200
    assert b"proxy" not in answer.body.lower()


def test_a_proxy_over_https_is_held_to_the_same_authorities(
    ask: Sends, server: Loopback, authority: trustme.CA, ca: Path
) -> None:
    asked = Asked(routes={TARGET: server.server_port})
    with proxying(asked, certified(authority, "127.0.0.1")):
        assert ask(get(), by(asked.origin, ca)).body == b"hello"
    with proxying(asked, certified(trustme.CA(), "127.0.0.1")):
        assert "name its authority in http.ca_bundle" in refused(ask, by(asked.origin, ca))


@pytest.mark.parametrize("credentials", ["", "me:hunter2@"])
def test_a_proxy_that_wants_another_password_is_told_as_such(
    ask: Sends, server: Loopback, ca: Path, credentials: str
) -> None:
    with through(server, wants="me:other") as asked:
        proxy = asked.origin.replace("://", f"://{credentials}")
        said = refused(ask, by(proxy, ca))
    assert said == (
        f"https://{NAME}: no answer through the proxy {asked.origin}, which asks for a user name"
        " and password: write HTTPS_PROXY as http://user:password@host"
    )
    assert server.seen == []


def test_a_proxy_that_does_not_connect_is_told_with_its_status(
    ask: Sends, server: Loopback, ca: Path
) -> None:
    with through(server, answer=403) as asked:
        said = refused(ask, by(asked.origin, ca))
    assert said == (
        f"https://{NAME}: no answer through the proxy {asked.origin}, which answers 403: let it"
        " allow this host, or name the host in NO_PROXY"
    )


def test_a_proxy_where_nobody_listens_is_named(ask: Sends, ca: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        proxy = f"http://me:hunter2@127.0.0.1:{taken.getsockname()[1]}"
        said = refused(ask, by(proxy, ca))
    origin = proxy.replace("me:hunter2@", "")
    assert said == f"https://{NAME}: no answer through the proxy {origin} (Connection refused)"


def test_a_proxy_that_says_nothing_is_given_up_in_time(ask: Sends, ca: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
        network = Network(proxy=parse_proxy(origin), ca_bundle=ca, timeout=0.3)
        said = refused(ask, network)
    assert f"no answer in time through the proxy {origin}; " in said


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_end_behind_a_proxy_that_says_nothing_is_given_up_in_time(
    ask: Sends, authority: trustme.CA, ca: Path, scheme: str
) -> None:
    with silent_end() as (_, asked), proxying(asked, tls_of(authority, scheme)):
        said = refused(ask, replace(by(asked.origin, ca), timeout=1.0))
    assert f"no answer in time through the proxy {asked.origin}; " in said
    assert asked.seen == [TARGET]


@pytest.mark.parametrize("scheme", ["http", "https"])
@in_a_loop
async def test_what_was_given_up_behind_a_proxy_is_closed(
    authority: trustme.CA, ca: Path, scheme: str
) -> None:
    with silent_end() as (silent, asked), proxying(asked, tls_of(authority, scheme)):
        transport = AsyncHttpTransport(replace(by(asked.origin, ca), timeout=1.0))
        with pytest.raises(TransportError):
            await transport.send(get())
        assert await asyncio.to_thread(ended, silent)
        await transport.aclose()


@in_a_loop
async def test_whoever_fails_behind_a_proxy_takes_no_place_from_the_others(
    server: Loopback, ca: Path
) -> None:
    with through(server) as asked:
        asked.routes = {**asked.routes, "other.example:443": server.server_port}
        transport = AsyncHttpTransport(by(asked.origin, ca))
        for _ in range(PLACES):
            with pytest.raises(TransportError, match="certificate"):
                await transport.send(get("https://other.example/"))
        assert (await transport.send(get())).body == b"hello"
        await transport.aclose()


@pytest.mark.parametrize("before", [0, 1 << 16, 1 << 18])
def test_what_a_proxy_says_is_never_taken_for_an_answer_of_the_end(
    ask: Sends, server: Loopback, ca: Path, before: int
) -> None:
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged" * 9
    with through(server) as asked:
        asked.more = b"X" * before + forged
        refused(ask, by(asked.origin, ca))


def test_a_proxy_that_answers_gibberish_is_none_of_ours(ask: Sends, ca: Path) -> None:
    with listening(Loopback()) as other:
        origin = f"http://127.0.0.1:{other.server_port}"
        said = refused(ask, by(origin, ca))
    assert f"through the proxy {origin}" in said


def test_a_certificate_is_judged_behind_a_proxy_too(ask: Sends, server: Loopback) -> None:
    with through(server) as asked:
        network = Network(proxy=parse_proxy(asked.origin), timeout=PATIENT.timeout)
        assert "its certificate is not trusted" in refused(ask, network)
    assert server.seen == []


def test_loopback_goes_around_the_proxy(ask: Sends, server: Loopback, ca: Path) -> None:
    with through(server) as asked, listening(Loopback()) as plain:
        network = by(asked.origin, ca)
        assert ask(get(server.url("plain")), network).status == 200
        assert ask(get(plain.url("plain")), network).status == 200
    assert asked.seen == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_environment_is_read_by_the_settings_and_by_nobody_else(
    ask: Sends, server: Loopback, ca: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with socket.socket() as taken, through(server) as asked:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv(name, f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert ask(get(), by(asked.origin, ca)).status == 200
