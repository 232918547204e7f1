from collections.abc import Iterable
from contextlib import suppress

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.network import Proxy, parse_proxy
from pullpass.tunnel import tunnel

PROXY = parse_proxy("http://proxy.example:3128")
CONNECTS = b"HTTP/1.1 200 Connection established\r\n\r\n"


def talked(said: Iterable[bytes], proxy: Proxy = PROXY, host: str = "reg.example") -> int:
    """Returns the status that a proxy has told when it has said all this."""
    steps = tunnel(proxy, host, 443)
    next(steps)
    try:
        for piece in said:
            steps.send(piece)
    except StopIteration as end:
        return int(end.value)
    raise AssertionError("it asks for more")


def asked(proxy: str = "http://proxy.example:3128", host: str = "reg.example") -> list[bytes]:
    return next(tunnel(parse_proxy(proxy), host, 443)).split(b"\r\n")


@pytest.mark.parametrize(
    ("host", "target"),
    [("reg.example", b"reg.example:443"), ("2001:db8::1", b"[2001:db8::1]:443")],
)
def test_a_proxy_is_asked_for_a_host_and_a_port(host: str, target: bytes) -> None:
    assert asked(host=host) == [b"CONNECT " + target + b" HTTP/1.1", b"Host: " + target, b"", b""]


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("me:a%40b%3Ac", b"bWU6YUBiOmM="),
        ("me", b"bWU6"),
        ("me:p%C3%A4ss", b"bWU6cMOkc3M="),
        ("me:\udce4", b"bWU65A=="),  # as a variable that is not UTF-8 comes
    ],
)
def test_it_is_shown_user_and_password(user: str, shown: bytes) -> None:
    assert b"Proxy-Authorization: Basic " + shown in asked(f"http://{user}@proxy.example:3128")


@pytest.mark.parametrize("status", [200, 204, 299, 300, 403, 407, 502])
def test_its_status_is_what_counts(status: int) -> None:
    assert talked([b"HTTP/1.1 %d Whatever\r\nContent-Length: 5\r\n\r\n" % status]) == status


@pytest.mark.parametrize(
    "length", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b""]
)
def test_a_refusal_may_bring_a_page(length: bytes) -> None:
    assert talked([b"HTTP/1.1 407 No\r\n" + length + b"\r\n5\r\npage!"]) == 407


def test_its_head_may_be_long() -> None:
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: " + b"x" * 60_000
    assert talked([head[:20_000], head[20_000:], b"\r\n\r\n"]) == 200


def test_its_answer_may_come_in_pieces_and_after_another() -> None:
    answer = b"HTTP/1.1 103 Early\r\n\r\n" + CONNECTS
    assert talked(bytes([byte]) for byte in answer) == 200


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 2",
        b"SSH-2.0\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        CONNECTS + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nforge",
    ],
)
def test_what_says_something_else_is_no_proxy(said: bytes) -> None:
    with pytest.raises(h11.RemoteProtocolError):
        talked([said, b""])


@given(st.lists(st.binary(max_size=40) | st.sampled_from([CONNECTS, b"HTTP/1.1 100 \r\n\r\n"])))
def test_whatever_is_said_it_connects_refuses_or_is_no_proxy(said: list[bytes]) -> None:
    with suppress(h11.RemoteProtocolError):
        assert 200 <= talked([*said, b""]) <= 999
