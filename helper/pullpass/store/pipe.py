"""Runs a program that takes a secret or gives one: through pipes, within bounds."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

PATIENCE: Final = 15.0  # seconds; gpg may ask its owner for a passphrase


def run(
    argv: Sequence[str],
    stdin: bytes,
    *,
    env: Mapping[str, str],
    limit: int,
    patience: float = PATIENCE,
) -> bytes | None:
    """Returns what argv prints, None if it fails, takes too long or prints more than limit bytes.

    What it says on standard error is heard by nobody: it may be anything.
    """
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
        start_new_session=True,  # so that what it has started ends with it
    ) as program:
        alarm = threading.Timer(patience, _end, [program])
        alarm.start()
        try:
            return _talk(program, stdin, limit)
        finally:
            alarm.cancel()
            _end(program)


def _talk(program: "subprocess.Popen[bytes]", stdin: bytes, limit: int) -> bytes | None:
    assert program.stdin  # noqa: S101 - Popen gives what it was asked for
    assert program.stdout  # noqa: S101
    with suppress(BrokenPipeError), program.stdin:
        program.stdin.write(stdin)  # shorter than a pipe holds
    printed = program.stdout.read(limit + 1)
    if len(printed) > limit or program.wait() != 0:
        return None
    return printed


def _end(program: "subprocess.Popen[bytes]") -> None:
    if program.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
