"""The agent as systemd runs it: the installed program, on a node of its own."""

import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fakes.endpoint import answering
from fakes.helper import LOOPBACK, Node, exchanging
from fakes.jfrog import unsigned
from fakes.programs import Process, environment, running
from pullpass.agent.client import AgentClient
from pullpass.agent.protocol import Reply
from pullpass.http import Request, Response
from pullpass.secret import Secret

TIMEOUT: Final = 20  # seconds that a test waits for anything
READY: Final = "reg.example"  # a registry whose credentials nobody is asked for
GET: Final = b"get %d\n%s" % (len(LOOPBACK), LOOPBACK.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent that runs.

    Attributes:
        node: its host.
        process: the program.
    """

    node: Node
    process: Process

    @property
    def path(self) -> Path:
        """Returns where it listens."""
        return socket_of(self.node)

    @property
    def client(self) -> AgentClient:
        """Returns a client of it."""
        return AgentClient(self.path, TIMEOUT)

    def get(self, server_url: str = LOOPBACK) -> Reply:
        """Asks as Docker's helper does."""
        return self.client.ask("get", server_url.encode())

    def status(self) -> dict[str, Any]:
        """Returns what it says of itself."""
        found: dict[str, Any] = json.loads(self.client.ask("status").body)
        return found

    def counted(self, name: str) -> Any:
        """Returns the count name."""
        return self.status()["counters"][name]

    def until(self, ready: Callable[[], Any]) -> None:
        """Waits until ready."""
        self.process.until(lambda: ready() or None)

    def records(self, event: str) -> list[dict[str, Any]]:
        """Returns what its log says of event."""
        lines = [json.loads(line) for line in self.process.printed().splitlines()]
        return [line for line in lines if line["event"] == event]

    def send(self, raw: bytes) -> socket.socket:
        """Returns a connection on which raw was sent."""
        connection = socket.socket(socket.AF_UNIX)
        # Where many wait to be let in, this one waits too; settimeout would be an error at once.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", TIMEOUT, 0))
        try:
            connection.connect(str(self.path))
            connection.settimeout(TIMEOUT)
            if raw:  # nothing is an error too, where the agent has closed already
                connection.sendall(raw)
        except OSError:
            connection.close()
            raise
        return connection


def gone(connection: socket.socket) -> bytes:
    """Returns what still comes on connection until the other end closes it."""
    came = bytearray()
    try:
        while chunk := connection.recv(65536):
            came += chunk
    except ConnectionResetError:
        pass
    connection.close()
    return bytes(came)


def socket_of(node: Node) -> Path:
    """Returns where node's agent listens."""
    return node.directory / "run" / "agent.sock"


def agent_settings(node: Node, *lines: str) -> None:
    """Adds ``[agent]`` with a socket on the node, and lines, to the node's settings."""
    table = "\n".join(["[agent]", f'socket = "{socket_of(node)}"', *lines, ""])
    node.config.write_text(node.config.read_text().partition("[agent]")[0] + table)


@contextmanager
def started(node: Node, **variables: str) -> Iterator[Agent]:
    """Runs node's agent until the block ends."""
    log = node.directory / "agent.log"
    env = environment(PULLPASS_CONFIG=str(node.config), **variables)
    with running(["pullpass", "agent"], log=log, env=env) as process:
        agent = Agent(node=node, process=process)
        agent.until(lambda: agent.records("ready"))
        yield agent


@dataclass(slots=True)
class Exchange:
    """JFrog's endpoint on loopback, which answers when it is let.

    Attributes:
        lifetime: of what it gives out, in seconds.
        padding: bytes that make what it gives out longer.
        seen: subject tokens so far.
        connections: a number for each connection so far.
    """

    lifetime: int = 3600
    padding: int = 0
    seen: list[str] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)
    origin: str = ""

    def send(self, request: Request) -> Response:
        """Returns a credential of its own for each request, once it is let."""
        shown = json.loads(request.body)["subject_token"]
        self.seen.append(shown)
        self.open.wait(TIMEOUT)
        subject = f"jfac@01h/users/puller{'+' * self.padding}"
        token = unsigned({"sub": subject, "for": Secret(shown).fingerprint()})
        answer = {"access_token": token, "expires_in": self.lifetime, "username": "puller"}
        headers = {"content-type": "application/json"}
        return Response(status=200, headers=headers, body=json.dumps(answer).encode())

    def settings(self, *lines: str) -> str:
        """Returns the settings of LOOPBACK, whose credentials come from here."""
        table = f'[registry."{LOOPBACK}"]\n'
        return exchanging(self.origin).replace(
            table, table + "".join(f"{line}\n" for line in lines)
        )


@contextmanager
def exchange(*, held: bool = False, tls: ssl.SSLContext | None = None) -> Iterator[Exchange]:
    """Serves an Exchange until the block ends; held, it answers when ``open`` is set."""
    made = Exchange()
    if not held:
        made.open.set()
    with answering(made.send, tls, made.connections) as origin:
        made.origin = origin
        try:
            yield made
        finally:
            made.open.set()


def memory(pid: int) -> int:
    """Returns the resident memory of process pid in bytes."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid: int) -> int:
    """Returns how many files process pid has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
