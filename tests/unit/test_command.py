import os
import time

import pytest

from fakes.settings import refusal_of
from pullpass.command import run
from pullpass.errors import CommandError

# How programs are started, ended and found is told in tests/unit/identity/test_edge.py.


def sh(script: str, stdin: bytes = b"", timeout: float = 30.0) -> bytes:
    argv = ["/bin/sh", "-c", script]
    return run(argv, environ=os.environ, timeout=timeout, limit=10, stdin=stdin)


def test_what_goes_in_comes_out() -> None:
    assert sh("cat", b"word") == b"word"


def test_without_an_input_there_is_nothing_to_read() -> None:
    assert sh("cat") == b""


def test_a_program_that_does_not_read_is_no_failure() -> None:
    assert sh("exec <&-; echo done", b"x" * 1_000_000) == b"done\n"


def test_a_program_that_reads_nothing_and_does_not_end_is_given_up() -> None:
    began = time.monotonic()
    with pytest.raises(CommandError, match="has not ended"):
        sh("sleep 300", b"x" * 1_000_000, timeout=0.2)
    assert time.monotonic() - began < 60


def test_what_a_program_says_of_its_failure_is_heard_by_nobody(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CommandError, match="ended with status 1") as failed:
        sh("echo word >&2; echo word; exit 1", b"word")
    assert "word" not in refusal_of(failed.value)
    assert capfd.readouterr() == ("", "")
