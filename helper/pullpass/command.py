"""Runs another program: within a time, up to a length of output, and without a shell."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pullpass.errors import CommandError


def run(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    timeout: float,
    limit: int,
    stdin: bytes = b"",
) -> bytes:
    """Returns what a program writes to stdout, once it ended well.

    Args:
        argv: the program, looked up on the PATH of environ, and its arguments.
        environ: all that it is told.
        timeout: seconds.
        limit: bytes of output.
        stdin: what it reads; may be a secret, which goes nowhere else.

    Raises:
        CommandError: if it cannot be started, takes too long, writes too much or fails.
    """
    name, until = argv[0], time.monotonic() + timeout
    process = _started(argv, environ, stdin)
    try:
        output = _output(process, stdin, timeout, limit)
        if output is None:
            raise CommandError(
                f"{name} has not ended after {timeout:.0f}s: run it by hand to see why"
            )
        if len(output) > limit:
            raise CommandError(f"{name} writes more than {limit} bytes: that is too much")
        status = process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{name} closed its output and does not end: it must end") from error
    finally:
        _end(process)
    if status:
        raise CommandError(f"{name} ended with status {status}: run it by hand to see why")
    return output


def _started(
    argv: Sequence[str], environ: Mapping[str, str], stdin: bytes
) -> "subprocess.Popen[bytes]":
    name = argv[0]
    try:
        # stderr may hold what it was asked to keep secret, and docker would show it.
        return subprocess.Popen(
            argv,
            env=dict(environ),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise CommandError(f"{name} is not on the PATH of this host: install it") from error
    except (OSError, ValueError) as error:
        raise CommandError(f"{name} cannot be started: check that it may be run") from error


def _output(
    process: "subprocess.Popen[bytes]", stdin: bytes, timeout: float, limit: int
) -> bytes | None:
    """Returns what process writes until it closes its output, None where that takes too long."""
    read: list[bytes] = []

    def talk() -> None:
        if process.stdin:
            with suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(stdin)
        if process.stdout:
            with process.stdout as pipe:
                read.append(pipe.read(limit + 1))

    # A thread, since a child of the child may hold the pipe open for ever.
    talker = threading.Thread(target=talk, daemon=True)
    talker.start()
    talker.join(timeout)
    return read[0] if read else None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends process and what it started, where that still runs."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    process.wait()
