import os
import sys
import time

import pytest

from pullpass.store.pipe import run


def sh(script: str, stdin: bytes = b"", patience: float = 30.0) -> bytes | None:
    return run(["/bin/sh", "-c", script], stdin, env=os.environ, limit=10, patience=patience)


def test_what_goes_in_comes_out() -> None:
    assert sh("cat", b"word") == b"word"


@pytest.mark.parametrize("script", ["exit 1", "echo word; exit 3", "kill -KILL $$"])
def test_a_failure_gives_nothing(script: str) -> None:
    assert sh(script) is None


def test_a_program_that_does_not_read_is_no_failure() -> None:
    assert sh("exec <&-; echo done", b"x" * 60_000) == b"done\n"


def test_what_is_too_long_is_nothing_and_ends() -> None:
    assert run([sys.executable, "-c", "while 1: print(1)"], b"", env={}, limit=10) is None


def test_a_program_that_hangs_ends_with_all_that_it_has_started() -> None:
    began = time.monotonic()
    assert sh("sleep 300 & sleep 300; wait", patience=0.2) is None
    assert time.monotonic() - began < 60


def test_what_a_program_says_of_its_failure_is_heard_by_nobody(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert sh("echo word >&2; exit 1") is None
    assert capfd.readouterr() == ("", "")
