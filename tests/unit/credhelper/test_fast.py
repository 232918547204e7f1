"""Which replies of the agent are answers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pullpass.credhelper.fast import MAX_BODY, parse

LINES = st.binary(max_size=80).map(lambda text: text.replace(b"\n", b"") + b"\n")
STATUSES = st.sampled_from([b"ok", b"error", b"self", b"", b"OK"])
LENGTHS = st.integers(-1, 90).map(lambda length: b"%d" % length) | st.just(b"01") | st.binary()
REPLIES = st.tuples(STATUSES, st.sampled_from([b" ", b"  ", b""]), LENGTHS, LINES)


def written(line: bytes, status: int) -> bytes:
    return b"%b %d\n%b" % (b"error" if status else b"ok", len(line), line)


@given(line=LINES, status=st.integers(0, 1))
def test_a_whole_reply_is_its_line_and_status(line: bytes, status: int) -> None:
    assert parse(written(line, status)) == (line, status)


@given(line=LINES, status=st.integers(0, 1), cut=st.integers(min_value=1))
def test_a_reply_that_is_cut_is_no_answer(line: bytes, status: int, cut: int) -> None:
    whole = written(line, status)
    assert parse(whole[: cut % len(whole)]) is None


@settings(max_examples=200)
@given(REPLIES.map(lambda parts: b"%b%b%b\n%b" % parts) | st.binary())
def test_any_bytes_are_what_is_written_for_their_answer_or_none(reply: bytes) -> None:
    answer = parse(reply)
    assert answer is None or written(*answer) == reply


def test_a_body_has_a_limit() -> None:
    longest = b"x" * (MAX_BODY - 1) + b"\n"
    assert parse(written(longest, 0)) == (longest, 0)
    assert parse(written(b"x" + longest, 0)) is None
