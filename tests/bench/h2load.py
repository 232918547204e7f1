"""Unary gRPC calls by h2load, nghttp2's load generator in C: its own share of a time is small.

As the kubelet does, it uses one connection for all its calls.
"""

import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fakes.programs import environment

WITHIN: Final = 600.0  # seconds for one run
_DATA: Final = re.compile(r"\((\d+)\) data")


@dataclass(frozen=True, slots=True)
class Call:
    """A method and the message that it is asked with."""

    method: str
    message: bytes


def replied(socket: Path, call: Call) -> int:
    """Returns how many bytes the message of one reply has, with its length before it."""
    return _run(socket, call, 1, 1)[1]


def took(
    socket: Path, call: Call, *, calls: int, at_once: int = 1, reply: int | None = None
) -> list[float]:
    """Returns the milliseconds of each of so many calls.

    Args:
        socket: who is asked.
        call: what.
        calls: how many times.
        at_once: how many calls run at any time.
        reply: bytes of each reply as ``replied`` tells; an error has none.

    Raises:
        RuntimeError: if not all were answered, or otherwise than with reply.
    """
    times, data = _run(socket, call, calls, at_once)
    if len(times) != calls or (reply is not None and data != calls * reply):
        raise RuntimeError(f"{socket}: {call.method} failed: {len(times)} answers, {data} bytes")
    return times


def _run(socket: Path, call: Call, calls: int, at_once: int) -> tuple[list[float], int]:
    with tempfile.TemporaryDirectory() as directory:
        message, log = Path(directory) / "message", Path(directory) / "log"
        message.write_bytes(b"\0" + struct.pack(">I", len(call.message)) + call.message)
        done = subprocess.run(
            [
                "h2load",
                f"--requests={calls}",
                "--clients=1",
                f"--max-concurrent-streams={min(at_once, calls)}",
                f"--base-uri=unix:{socket}",
                f"--data={message}",
                f"--log-file={log}",
                "--header=content-type: application/grpc",
                "--header=te: trailers",
                f"http://localhost{call.method}",
            ],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
            timeout=WITHIN,
        )
        # Each line: when it began, the status of HTTP, microseconds.
        lines = [line.split() for line in log.read_text().splitlines()]
    found = _DATA.search(done.stdout)
    data = int(found[1]) if found else 0
    return [int(line[2]) / 1000 for line in lines if line[1] == "200"], data
