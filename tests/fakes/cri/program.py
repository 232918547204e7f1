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
    """Runs the program until it listens, and to its end."""
    argv = ["pullpass-cri", "--config", str(configured(place, more))]
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
