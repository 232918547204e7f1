from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.agent.protocol import (
    MAX_LINE,
    MAX_REPLY,
    MAX_REQUEST,
    Reply,
    Request,
    Status,
    parse_reply,
    parse_request,
    render_reply,
    render_request,
)
from pullpass.errors import MalformedInput

VERBS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=16)
SPOKEN = st.sampled_from([Status.OK, Status.ERROR])


@given(VERBS, st.binary(max_size=200))
def test_a_request_comes_back_whole(verb: str, body: bytes) -> None:
    request = Request(verb=verb, body=body)
    assert parse_request(render_request(request)) == request


@given(SPOKEN, st.binary(max_size=200))
def test_a_reply_comes_back_whole(status: Status, body: bytes) -> None:
    reply = Reply(status=status, body=body)
    assert parse_reply(render_reply(reply)) == reply


@pytest.mark.parametrize("status", Status)
def test_a_reply_cut_short_anywhere_is_no_reply(status: Status) -> None:
    body = b"" if status is Status.SELF else b'{"Username": "puller"}\n'
    raw = render_reply(Reply(status=status, body=body))
    assert [parse_reply(raw[:end]) for end in range(len(raw))] == [None] * len(raw)


def test_a_request_cut_short_anywhere_is_no_request() -> None:
    raw = render_request(Request(verb="get", body=b"registry.example.com\n"))
    assert [parse_request(raw[:end]) for end in range(len(raw))] == [None] * len(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"\n",
        b" \n",
        b"get\n",
        b"get \n",
        b"get 1\r\nx",
        b"get  1\nx",
        b" get 1\nx",
        b"get 1 \nx",
        b"get 01\nx",
        b"get +1\nx",
        b"get -1\nx",
        b"get 1.0\nx",
        b"get 1e0\nx",
        "get ١\nx".encode(),
        b"GET 1\nx",
        b"get2 1\nx",
        b"abcdefghijklmnopq 1\nx",
        b"get 3\nabcd",
        b"get 0\nx",
        b"get %d\n" % (MAX_REQUEST + 1),
        b"get " + b"9" * 58 + b"\n",
        b"x" * MAX_LINE,
        b"get " + b"0" * MAX_LINE,
        b"\x00" * 10 + b"\n",
        b"\xff\xfe 1\nx",
    ],
)
def test_anything_else_is_no_request(raw: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse_request(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"OK 1\nx",
        b"okay 1\nx",
        b"self 1\nx",
        b"get 1\nx",
        b"ok 1\nxy",
        b"ok 1\nx\n",
        b"ok %d\n" % (MAX_REPLY + 1),
        b"HTTP/1.1 200 OK\r\n",
        b'{"Username": "puller"}\n',
    ],
)
def test_anything_else_is_no_reply(raw: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse_reply(raw)


def test_the_longest_frames_are_taken() -> None:
    assert parse_request(render_request(Request(verb="get", body=b"x" * MAX_REQUEST)))
    assert parse_reply(render_reply(Reply(status=Status.OK, body=b"x" * MAX_REPLY)))


@pytest.mark.parametrize(
    "request_",
    [Request(verb="Get"), Request(verb=""), Request(verb="get", body=b"x" * (MAX_REQUEST + 1))],
)
def test_what_has_no_frame_is_not_sent(request_: Request) -> None:
    with pytest.raises(MalformedInput):
        render_request(request_)


ANYTHING = st.binary(max_size=80) | st.from_regex(rb"(get|ok|error|self) [0-9]{1,5}\n.{0,20}")


@given(ANYTHING)
def test_any_bytes_are_a_request_or_the_beginning_of_one_or_malformed(raw: bytes) -> None:
    with suppress(MalformedInput):
        request = parse_request(raw)
        assert request is None or render_request(request) == raw


@given(ANYTHING)
def test_any_bytes_are_a_reply_or_the_beginning_of_one_or_malformed(raw: bytes) -> None:
    with suppress(MalformedInput):
        reply = parse_reply(raw)
        assert reply is None or render_reply(reply) == raw


def test_a_frame_shows_nothing_of_its_body() -> None:
    assert "hunter2" not in repr(Reply(status=Status.OK, body=b"hunter2"))
    assert "hunter2" not in repr(Request(verb="get", body=b"hunter2"))
