"""The program pullpass-cri, run as systemd runs it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from fakes.programs import Process, environment, running


def configured(place: Path, more: str = "") -> Path:
    """Writes the settings of a shim whose sockets are in place."""
    file = place / "config.toml"
    file.write_text(f"""
[cri]
listen = "{place}/listen.sock"
status = "{place}/status.sock"
backend = "{place}/backend.sock"
agent = "{place}/agent.sock"
{more}
""")
    return file


@contextmanager
def shim(place: Path, more: str = "", **variables: str) -> Iterator[Process]:
    """Runs the program with such settings for the length of a block."""
    configured(place, more)
    with serving(place, **variables) as process:
        yield process


@contextmanager
def serving(place: Path, **variables: str) -> Iterator[Process]:
    """Runs the program, configured, for the length of a block, which begins once it listens."""
    argv = ["pullpass-cri", "--config", str(place / "config.toml")]
    env = environment(**variables)
    with running(argv, log=place / "shim.log", env=env) as process:
        process.until(lambda: '"listening"' in process.printed())
        yield process


def asked(place: Path, path: str) -> tuple[int, str]:
    """Asks the socket for status, as ``curl --unix-socket`` does."""
    connection = HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(5)
    connection.sock.connect(str(place / "status.sock"))
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
