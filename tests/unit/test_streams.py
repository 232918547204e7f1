import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from threading import Thread
from typing import Any, Final

import httpcore
import pytest

from fakes.loop import in_a_loop, until
from fakes.loopback import Loopback, listening
from fakes.sending import PATIENT, Sends, send, send_async
from pullpass.errors import TransportError
from pullpass.http import Request
from pullpass.streams import Streams, _Stream
from pullpass.transport import AsyncHttpTransport, HttpTransport

TRUST: Final = ssl.create_default_context()
HELD: Final = 24 << 20  # bytes; more than two sockets and a stream hold unread
LEFT: Final = pytest.mark.parametrize("how", ["gone", "farewell", "farewell,gone"])


@pytest.fixture
def server() -> Iterator[Loopback]:
    with listening(Loopback()) as running:
        yield running


def get(url: str, **more: Any) -> Request:
    return Request(method="GET", url=url, **more)


@LEFT
def test_a_connection_that_was_left_is_not_asked_again(server: Loopback, how: str) -> None:
    with HttpTransport(PATIENT) as transport:
        first = transport.send(get(server.url(f"leaving?{how}")))
        server.read.set()
        assert server.left.wait(PATIENT.timeout)
        second = transport.send(get(server.url("peer")))
    assert (first.status, second.status) == (200, 200)
    assert first.body != second.body


@LEFT
@in_a_loop
async def test_nor_is_one_that_was_left_while_the_loop_ran(server: Loopback, how: str) -> None:
    transport = AsyncHttpTransport(PATIENT)
    first = await transport.send(get(server.url(f"leaving?{how}")))
    server.read.set()
    assert await asyncio.to_thread(server.left.wait, PATIENT.timeout)
    second = await transport.send(get(server.url("peer")))
    await transport.aclose()
    assert (first.status, second.status) == (200, 200)
    assert first.body != second.body


@in_a_loop
async def test_what_nobody_reads_waits_at_the_peer(server: Loopback) -> None:
    transport = AsyncHttpTransport(PATIENT, keep=60)
    await transport.send(get(server.url("flood")))
    server.read.set()
    assert await asyncio.to_thread(server.left.wait, PATIENT.timeout)
    await transport.aclose()
    assert 0 < server.flooded < HELD


@pytest.mark.parametrize("ask", [send, send_async])
def test_a_connection_that_is_reset_is_told_as_such(server: Loopback, ask: Sends) -> None:
    with pytest.raises(TransportError, match=r"no answer \(Connection reset by peer\)"):
        ask(get(server.url("reset")))


@pytest.mark.parametrize("ask", [send, send_async])
def test_a_long_body_arrives_whole(server: Loopback, ask: Sends) -> None:
    body = bytes(range(256)) * 8192
    sent = Request(
        method="POST",
        url=server.url("echo"),
        headers={"Content-Type": "x"},
        body=body,
        max_body=len(body) + 2,
    )
    assert ask(sent).body == b"x " + body


@in_a_loop
async def test_a_request_that_is_given_up_leaves_the_next_alone(server: Loopback) -> None:
    transport = AsyncHttpTransport(PATIENT)
    held = asyncio.create_task(transport.send(get(server.url("silent"))))
    await until(lambda: "/silent" in server.seen)
    held.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held
    assert (await transport.send(get(server.url("plain")))).body == b"hello"
    await transport.aclose()


@in_a_loop
async def test_nothing_is_written_to_a_connection_that_has_ended(server: Loopback) -> None:
    stream = await Streams(TRUST).connect_tcp("127.0.0.1", server.server_port)
    await stream.write(b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
    while await stream.read(1 << 16):
        pass
    with pytest.raises(httpcore.WriteError):
        await stream.write(b"more")
    await stream.aclose()


@pytest.mark.parametrize("ask", [send, send_async])
def test_a_connection_that_nobody_takes_is_given_up_in_its_time(ask: Sends) -> None:
    with ExitStack() as stack:
        busy = stack.enter_context(socket.socket())
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        for _ in range(2):  # what waits to be accepted, and one more
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(busy.getsockname())
        url = f"http://127.0.0.1:{busy.getsockname()[1]}/"
        with pytest.raises(TransportError, match="no answer in time"):
            ask(get(url), replace(PATIENT, connect_timeout=0.3))


class _TwoAddresses(asyncio.SelectorEventLoop):
    """A loop whose every host has two addresses."""

    async def getaddrinfo(self, *asked: Any, **_: Any) -> Any:
        found = [("127.0.0.1", asked[1]), ("127.0.0.2", asked[1])]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]


def test_where_no_address_takes_a_connection_it_is_told_why() -> None:
    with socket.socket() as unheard, asyncio.Runner(loop_factory=_TwoAddresses) as runner:
        unheard.bind(("", 0))
        with pytest.raises(TransportError, match=r"no answer \(Connection refused\)"):
            runner.run(sent(f"https://two.example:{unheard.getsockname()[1]}/"))


async def sent(url: str) -> None:
    await AsyncHttpTransport(PATIENT).send(get(url))


@pytest.mark.parametrize("ask", [send, send_async])
@pytest.mark.parametrize("begun", [False, True])
def test_whoever_leaves_in_a_handshake_is_told_as_such(ask: Sends, *, begun: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as leaver:

        def leave() -> None:
            connection, _ = leaver.accept()
            with connection:
                if begun:
                    connection.recv(1 << 16)

        thread = Thread(target=leave)
        thread.start()
        with pytest.raises(TransportError, match=r"no answer \(Connection reset by peer\)"):
            ask(get(f"https://127.0.0.1:{leaver.getsockname()[1]}/"))
        thread.join()


@in_a_loop
async def test_what_came_in_the_clear_is_not_read_as_if_it_came_through_tls(
    server: Loopback,
) -> None:
    stream = await Streams(TRUST).connect_tcp("127.0.0.1", server.server_port)
    await stream.write(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n")
    assert len(await stream.read(1)) == 1
    with pytest.raises(httpcore.RemoteProtocolError):
        await stream.start_tls(TRUST, "127.0.0.1")
    assert stream.get_extra_info("socket").fileno() < 0


def test_a_connection_whose_socket_is_gone_is_not_asked_again() -> None:
    stream = _Stream()
    stream.connection_made(asyncio.Transport())
    assert stream.get_extra_info("is_readable")
