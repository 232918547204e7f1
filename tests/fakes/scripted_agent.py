"""An agent that keeps the protocol of the socket, and breaks it wherever a test wants.

``agent`` runs in this process and answers with whatever bytes a test gives it; ``false_agent`` is
a process of its own, since it has another owner or dies.
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

NOT_FOUND: Final = b"credentials not found in native keychain\n"
SELF: Final = b"self 0\n"
MAX_BODY: Final = 64 * 1024  # bytes of a request
WITHIN: Final = 60.0  # seconds; no client waits as long
# Listens as another user or dies in the middle of a reply. Prints what each client sent.
_PROGRAM: Final = """
import os, signal, socket, sys
path, reply = sys.argv[1], bytes.fromhex(sys.argv[3])
uid, count = int(sys.argv[2]), int(sys.argv[4])
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o777)
os.setuid(uid)  # the kernel notes the owner when the socket begins to listen
listener.listen()
print("listens", flush=True)
while True:
    connection, _ = listener.accept()
    print(connection.recv(1 << 17), flush=True)
    connection.sendall(reply[:count])
    if count < len(reply):
        os.kill(os.getpid(), signal.SIGKILL)
    connection.close()
"""


class Asked(NamedTuple):
    """A request."""

    verb: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent that runs.

    Attributes:
        asked: every request so far.
        broken: what clients sent that was no request.
    """

    path: Path
    asked: list[Asked] = field(default_factory=list)
    broken: list[bytes] = field(default_factory=list)


def ok(body: bytes) -> bytes:
    """Returns the reply of a success."""
    return b"ok %d\n%b" % (len(body), body)


def error(line: bytes) -> bytes:
    """Returns the reply of a failure."""
    return b"error %d\n%b" % (len(line), line)


@contextmanager
def agent(path: Path, reply: Callable[[Asked], bytes | None]) -> Iterator[Agent]:
    """Runs an agent that sends reply's bytes and closes; for None it waits until the client goes.

    At its end every client must have kept the protocol.
    """
    running = Agent(path)
    with socket.socket(socket.AF_UNIX) as listener:
        path.parent.mkdir(parents=True, exist_ok=True)
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen(128)
        worker = threading.Thread(target=_accept, args=(listener, running, reply))
        worker.start()
        try:
            yield running
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            worker.join(WITHIN)
    assert not running.broken
    assert not worker.is_alive()


@contextmanager
def false_agent(path: Path, *, uid: int, reply: bytes, count: int) -> Iterator[list[bytes]]:
    """Runs a process of uid that sends count bytes of reply, and is killed if that is not all.

    Gives what clients have sent, once the block has ended.
    """
    sent: list[bytes] = []
    words = [str(path), str(uid), reply.hex(), str(count)]
    with subprocess.Popen([sys.executable, "-c", _PROGRAM, *words], stdout=subprocess.PIPE) as run:
        assert run.stdout
        assert run.stdout.readline() == b"listens\n"
        try:
            yield sent
        finally:
            run.kill()
            sent.extend(run.stdout.read().splitlines())


def _accept(
    listener: socket.socket, running: Agent, reply: Callable[[Asked], bytes | None]
) -> None:
    threads = []
    with suppress(OSError):  # the end: the listener was shut
        while True:
            connection, _ = listener.accept()
            connection.settimeout(WITHIN)
            threads.append(threading.Thread(target=_answer, args=(connection, running, reply)))
            threads[-1].start()
    for thread in threads:
        thread.join(WITHIN)


def _answer(
    connection: socket.socket, running: Agent, reply: Callable[[Asked], bytes | None]
) -> None:
    with connection, suppress(BrokenPipeError, ConnectionResetError):
        came = connection.recv(1 << 17)
        while came and not (whole := _parsed(came)) and (more := connection.recv(1 << 17)):
            came += more
        if not came:
            return  # somebody who only looked
        if not (whole := _parsed(came)):
            running.broken.append(came)
            return
        running.asked.append(whole)
        said = reply(whole)
        if said is None:
            assert not connection.recv(1)
        else:
            connection.sendall(said)


def _parsed(came: bytes) -> Asked | None:
    """Returns the request if it is whole and nothing stands behind it."""
    head, _, body = came.partition(b"\n")
    verb, _, length = head.partition(b" ")
    whole = len(body) <= MAX_BODY and verb.islower() and length == b"%d" % len(body)
    return Asked(verb.decode(), body) if whole else None
