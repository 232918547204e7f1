import socket
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.loopback import Loopback, listening
from fakes.sending import PATIENT, SENDERS, Sends
from pullpass.errors import TransportError
from pullpass.http import Request, Response
from pullpass.network import Network
from pullpass.origin import is_loopback
from pullpass.transport import HttpTransport, _wire

QUICK = Network(timeout=0.3)


def get(url: str, **more: Any) -> Request:
    return Request(method="GET", url=url, **more)


def test_neither_a_request_nor_a_response_shows_what_may_be_secret() -> None:
    request = Request(
        method="POST",
        url="https://reg.example/hunter2?hunter2",
        headers={"Authorization": "hunter2"},
        body=b"hunter2",
    )
    response = Response(status=200, headers={"location": "hunter2"}, body=b"hunter2")
    assert "hunter2" not in f"{request!r} {request} {response!r} {response}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        (" 0 ", 0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1" * 6, None),
        ("٣", None),
    ],
)
def test_when_to_ask_again_is_read_where_it_is_said_in_seconds(
    text: str, seconds: int | None
) -> None:
    assert Response(status=429, headers={"retry-after": text}).retry_after == seconds


@pytest.mark.parametrize("send", SENDERS)
@pytest.mark.parametrize("refusal", ["429,1", "503,0"])
def test_who_says_when_to_ask_again_is_asked_again_then(
    server: Loopback, send: Sends, refusal: str
) -> None:
    answer = send(get(server.url(f"busy?{refusal}"), patient=True))
    assert (answer.body, len(server.seen)) == (b"hello", 2)


@pytest.mark.parametrize("send", SENDERS)
@pytest.mark.parametrize(
    ("refusal", "patient"),
    [("429,1", False), ("429,8", True), ("429", True), ("502,1", True), ("500,1", True)],
)
def test_nobody_else_is_asked_twice(
    *, server: Loopback, send: Sends, refusal: str, patient: bool
) -> None:
    answer = send(get(server.url(f"busy?{refusal}"), patient=patient), Network(timeout=15.0))
    assert (answer.body, len(server.seen)) == (b"not now", 1)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://reg.example", "https://reg.example"),
        ("https://reg.example:5000/v2/?a=b#c", "https://reg.example:5000"),
        ("https://user:password@reg.example/v2/", "https://reg.example"),
        ("http://[::1]:80/x", "http://[::1]:80"),
    ],
)
def test_the_origin_of_a_request_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert get(url).origin == origin


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("[::1]", True),
        ("0:0:0:0:0:0:0:1", True),
        ("", False),
        ("0.0.0.0", False),
        ("::", False),
        ("128.0.0.1", False),
        ("127.1", False),
        ("127.0.0.1.", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("mylocalhost", False),
        ("10.0.0.1", False),
        ("fe80::1", False),
        ("2130706433", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


@given(
    st.sampled_from(["", "http://", "https://", "https://reg.example/"]),
    st.text("[]@:/\\#%\n é") | st.text(),
)
def test_the_origin_of_any_request_is_without_its_query(start: str, text: str) -> None:
    assert "hunter2" not in get(f"{start}{text}?hunter2").origin


@pytest.fixture
def server() -> Iterator[Loopback]:
    with listening(Loopback()) as started:
        yield started


@pytest.fixture(params=SENDERS)
def ask(request: pytest.FixtureRequest) -> Sends:
    chosen: Sends = request.param
    return chosen


def test_an_answer_is_returned_whatever_its_status(server: Loopback, ask: Sends) -> None:
    good, refused = ask(get(server.url("plain"))), ask(get(server.url("refused")))
    assert (good.status, good.body, good.headers["etag"]) == (200, b"hello", '"1"')
    assert (refused.status, refused.body) == (401, b"no")
    assert refused.headers["www-authenticate"] == "Basic"


def test_method_headers_and_body_arrive(server: Loopback, ask: Sends) -> None:
    request = Request(
        method="POST", url=server.url("echo"), headers={"content-type": "a/b"}, body=b"\x00hi"
    )
    assert ask(request).body == b"a/b \x00hi"


def test_no_compression_is_asked_for(server: Loopback, ask: Sends) -> None:
    assert ask(get(server.url("encoding"))).body == b"identity"


def test_a_header_sent_twice_is_joined_by_a_comma(server: Loopback, ask: Sends) -> None:
    assert ask(get(server.url("twice"))).headers["www-authenticate"] == "Basic, Bearer"


def test_a_connection_is_kept_for_the_next_request(server: Loopback) -> None:
    with HttpTransport(PATIENT) as transport:
        first, second = (transport.send(get(server.url("peer"))) for _ in range(2))
    assert first.body == second.body


def test_a_redirect_is_an_answer_and_is_not_followed(server: Loopback, ask: Sends) -> None:
    assert ask(get(server.url("redirect"))).status == 302
    assert server.seen == ["/redirect"]


def test_a_body_of_the_longest_length_is_taken(server: Loopback, ask: Sends) -> None:
    assert len(ask(get(server.url("long"), max_body=1001)).body) == 1001


@pytest.mark.parametrize("path", ["long", "endless"])
def test_a_body_that_is_too_long_is_refused(server: Loopback, ask: Sends, path: str) -> None:
    with pytest.raises(TransportError, match="longer than 1000 bytes"):
        ask(get(server.url(path), max_body=1000))


@pytest.mark.parametrize("path", ["silent", "slow_body", "slow_headers"])
def test_an_answer_that_is_too_slow_is_given_up(server: Loopback, ask: Sends, path: str) -> None:
    started = monotonic()
    with pytest.raises(TransportError, match="in time"):
        ask(get(server.url(path)), QUICK)
    assert monotonic() - started < PATIENT.timeout / 2


@pytest.mark.parametrize("path", ["short", "gibberish", "long", "silent", "slow_body"])
def test_a_failure_names_the_origin_and_nothing_more(
    server: Loopback, ask: Sends, path: str
) -> None:
    url = server.url(f"{path}?hunter2")
    with pytest.raises(TransportError) as failed:
        ask(get(url, headers={"Authorization": "hunter2"}, max_body=10), QUICK)
    assert str(failed.value).startswith(f"http://127.0.0.1:{server.server_port}: ")
    assert "hunter2" not in str(failed.value)
    assert f"/{path}" not in str(failed.value)


def test_a_port_where_nobody_listens_is_a_transport_error(ask: Sends) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(TransportError, match=f"{port}: no answer .Connection refused"):
            ask(get(f"http://127.0.0.1:{port}/secret"))


@pytest.mark.parametrize("scheme", ["http", "ftp", "HTTP", "ws"])
def test_http_beyond_loopback_is_refused_without_a_connection(
    server: Loopback, ask: Sends, scheme: str
) -> None:
    # 0.0.0.0 reaches the server here, and is not a loopback address.
    with pytest.raises(TransportError, match="only https is safe beyond loopback"):
        ask(get(f"{scheme}://0.0.0.0:{server.server_port}/plain"))
    assert server.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "plain",
        "http://",
        "https://",
        "http://[::1",
        "http://127.0.0.1:port/",
        "http://127.0.0.1:70000/",
        "http://127.0.0.1:1/\x00",
        "https://[::1]]/",
        "http://user@evil.example@/",
        "https://\udcff.example/",
        "https://bücher.example/",
        "http://127.0.0.1:1/a b",
        'http://127.0.0.1:1/a"b',
        "http://127.0.0.1:1/{a}",
        "http://127.0.0.1:1/a\nb",
        f"https://{'a.' * 127}a/",
        "http://127.0.0.1:0/",
        f"https://{'a' * 64}.example.invalid.{'b' * 70000}/",
    ],
)
def test_what_is_no_url_is_a_transport_error(ask: Sends, url: str) -> None:
    with pytest.raises(TransportError):
        ask(get(url))


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/"),
        ("?a=b", "/?a=b"),
        ("/a;b=c/d;e?f;g?h#i", "/a;b=c/d;e?f;g?h"),
        ("//elsewhere.example/a", "//elsewhere.example/a"),
        ("/%20/../a", "/%20/../a"),
        ("/a?", "/a"),
    ],
)
def test_what_is_asked_for_is_sent_as_it_is_written(path: str, target: str) -> None:
    wire = _wire(get(f"https://user@REG.example:5000{path}"), 1.0)
    assert (wire.url.host, wire.url.port) == (b"reg.example", 5000)
    assert wire.url.target.decode() == target
    assert dict(wire.headers)[b"Host"] == b"REG.example:5000"


def test_a_body_is_as_long_as_its_header_says(server: Loopback, ask: Sends) -> None:
    with pytest.raises(TransportError):
        ask(get(server.url("plain"), headers={"Content-Length": "5"}, body=b"four"))


@pytest.mark.parametrize("text", ["café", "plain"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_header_is_read_as_utf_8_or_as_it_once_was(
    server: Loopback, ask: Sends, text: str, encoding: str
) -> None:
    server.header = text.encode(encoding)
    assert ask(get(server.url("lettered"))).headers["x-text"] == text


def test_a_header_that_is_given_stands_in_for_ours() -> None:
    wire = _wire(get("https://reg.example", headers={"user-agent": "other", "X-Case": "A"}), 1.0)
    sent = [(name, value) for name, value in wire.headers if name != b"Host"]
    assert sent == [(b"Accept-Encoding", b"identity"), (b"user-agent", b"other"), (b"X-Case", b"A")]


@pytest.mark.parametrize("header", ["a\nb: c", "\x00", "é\ud800"])
def test_a_header_that_cannot_be_sent_is_a_transport_error(
    server: Loopback, ask: Sends, header: str
) -> None:
    with pytest.raises(TransportError):
        ask(get(server.url("plain"), headers={"Authorization": header}))
    assert server.seen == []
