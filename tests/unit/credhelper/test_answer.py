"""Answers in this process: stdin is a function, the settings are files."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.endpoint import endless
from fakes.helper import LOOPBACK, SUBJECT, exchanging, node, registry
from pullpass.claims import read_token
from pullpass.credhelper.answer import NO_USERNAME, Answer, answer
from pullpass.credhelper.cli import MAX_STDIN
from pullpass.resolve.docker import NO_SERVER_URL, NOT_FOUND

SOON = 0.3  # seconds
ACTIONS = ("get", "store", "erase", "list")


def holds(stdin: bytes) -> Callable[[], bytes]:
    return lambda: stdin


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    asked = node(tmp_path, registry("reg.example"), audiences=("reg.example",))
    return {"PULLPASS_CONFIG": str(asked.config)}


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An environment whose settings know no registry."""
    config = tmp_path_factory.mktemp("strange") / "config.toml"
    config.touch()
    return {"PULLPASS_CONFIG": str(config)}


def test_a_credential_is_given_under_the_name_that_was_asked(environ: Mapping[str, str]) -> None:
    given = answer("get", holds(b"https://reg.example/v2/\n"), environ)
    assert given[1:] == ("", 0, False)
    found = json.loads(given.line)
    assert found["ServerURL"] == "https://reg.example/v2/"
    assert read_token(found["Secret"]).claims["sub"] == SUBJECT


@pytest.mark.parametrize(
    ("action", "stdin", "line"),
    [
        ("get", b"", NO_SERVER_URL),
        ("get", b"\r\n \r\n", NO_SERVER_URL),
        ("erase", b"\n", NO_SERVER_URL),
        ("store", b'{"Username": "me", "Secret": "word"}', NO_SERVER_URL),
        ("store", b'{"ServerURL": "reg.example", "Secret": "word"}', NO_USERNAME),
        ("store", b'{"ServerURL": null, "Username": "me"}', NO_SERVER_URL),
    ],
)
def test_what_is_missing_is_named_in_the_words_of_the_protocol(
    environ: Mapping[str, str], action: str, stdin: bytes, line: str
) -> None:
    assert answer(action, holds(stdin), environ) == Answer(line, line, 1)


@pytest.mark.parametrize("stdin", [b"other.example", b"\xff", b"a b", b"reg.\x0bexample"])
def test_a_stranger_is_no_failure(environ: Mapping[str, str], stdin: bytes) -> None:
    assert answer("get", holds(stdin), environ) == Answer(NOT_FOUND, "", 1)


def test_settings_that_cannot_be_read_fail_no_store_and_no_erase() -> None:
    missing = {"PULLPASS_CONFIG": "/not/there"}
    hint = "/not/there cannot be read: No such file or directory"
    entry = b'{"ServerURL": "reg.example", "Username": "me", "Secret": "word"}'
    assert answer("store", holds(entry), missing) == Answer("", hint)
    assert answer("erase", holds(b"reg.example"), missing) == Answer("", hint)


@pytest.mark.parametrize("stdin", [b"", b"{", b"[]", b'"word"', b"\xff\xfe", b"[" * 10_000])
def test_store_takes_nothing_but_an_object(environ: Mapping[str, str], stdin: bytes) -> None:
    given = answer("store", holds(stdin), environ)
    assert given.status == 1
    assert given.line == given.hint
    assert given.line.startswith("store takes a JSON object")


@pytest.mark.parametrize("action", ["get", "store", "erase"])
def test_stdin_is_bounded(strange: Mapping[str, str], action: str) -> None:
    given = answer(action, holds(b" " * (MAX_STDIN + 1)), strange)
    assert given.line.startswith(f"stdin is longer than {MAX_STDIN} bytes")
    assert not answer("get", holds(b" " * MAX_STDIN), strange).line.startswith("stdin")


def test_docker_can_put_any_line_between_backticks(tmp_path: Path) -> None:
    asked = node(tmp_path, registry("reg.example"))
    asked.key.unlink()
    given = answer("get", holds(b"reg.example"), {"PULLPASS_CONFIG": str(asked.config)})
    assert "`pullpass key create" in given.hint
    assert given.line == given.hint.replace("`", "'")


@pytest.mark.parametrize("action", ["get", "store", "erase"])
def test_an_answer_comes_at_the_deadline_though_stdin_stays_open(
    environ: Mapping[str, str], action: str
) -> None:
    test_is_over = Event()

    def read() -> bytes:
        test_is_over.wait(60)
        return b""

    given = answer(action, read, environ, deadline=SOON)
    test_is_over.set()
    line = "stdin is still open after 0s: try again"
    assert given == Answer(line, line, 1, late=True)


def test_a_defect_is_a_failure_which_shows_nothing(environ: Mapping[str, str]) -> None:
    def read() -> bytes:
        raise RuntimeError("word")

    line = "a defect in pullpass (RuntimeError): please report it"
    assert answer("get", read, environ) == Answer(line, line, 1)


def test_a_list_reads_no_stdin_and_names_the_hosts(environ: Mapping[str, str]) -> None:
    def read() -> bytes:
        raise AssertionError

    given = answer("list", read, environ)
    assert given[1:] == ("", 0, False)
    assert json.loads(given.line).keys() == {"reg.example"}


def test_a_list_at_its_deadline_is_empty(tmp_path: Path) -> None:
    fifo = tmp_path / "config.toml"
    os.mkfifo(fifo)
    given = answer("list", holds(b""), {"PULLPASS_CONFIG": str(fifo)}, deadline=SOON)
    os.close(os.open(fifo, os.O_RDWR))  # lets the reader go
    assert given == Answer("{}", "no answer after 0s: try again", late=True)


def test_an_exchange_that_is_late_is_told_with_its_registry(tmp_path: Path) -> None:
    with endless() as origin:
        environ = {"PULLPASS_CONFIG": str(node(tmp_path, exchanging(origin)).config)}
        given = answer("get", holds(LOOPBACK.encode()), environ, deadline=SOON)
    line = f"registry {LOOPBACK}: its exchange has not answered after 0s: try again"
    assert given == Answer(line, line, 1, late=True)


def test_a_list_that_cannot_read_its_settings_is_empty(tmp_path: Path) -> None:
    given = answer("list", holds(b""), {"PULLPASS_CONFIG": str(tmp_path)})
    assert (given.line, given.status) == ("{}", 0)
    assert str(tmp_path) in given.hint


@settings(max_examples=150)
@given(stdin=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_any_bytes_get_one_line_and_a_status_of_0_or_1(
    strange: Mapping[str, str], stdin: bytes
) -> None:
    for action in ACTIONS:
        given = answer(action, holds(stdin), strange)
        assert given.status in {0, 1}
        assert given.line.isprintable()
        assert given.hint.isprintable()
        assert (given.line, given.status) != ("", 1)
