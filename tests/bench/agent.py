"""The agent's own time in a ``get``, and its memory.

An exchange on loopback answers at once. The same request is sent to it straight over a warm
connection, so the difference of both medians is the agent's: identity, audit, HTTP and reply.
"""

import json
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from bench.report import Figure, Memory, Report, Row, Whose, bounds, in_turns, remembered
from fakes.agent import GET, Agent, Exchange, agent_settings, exchange, gone, started
from fakes.helper import LOOPBACK, node

DIRECT, FRESH, REUSED = "the exchange alone", "get, an exchange each", "get, reused"


def measured(rounds: int, calls: int) -> Report:
    """Returns the times of so many rounds, and the memory over so many calls."""
    with ExitStack() as stack:
        jfrog = stack.enter_context(exchange())
        agent = stack.enter_context(_agent(jfrog))
        reusing = stack.enter_context(_agent(jfrog, 'reuse = "10m"'))
        _get(agent)
        straight = stack.enter_context(_straight(jfrog))
        took = in_turns(
            {
                DIRECT: lambda: [_timed(straight)],
                REUSED: lambda: [_timed(lambda: _get(reusing))],
                FRESH: lambda: [_timed(lambda: _get(agent))],
            },
            rounds,
        )
        memory = _memory(agent, calls)
    own = Row(what=FRESH, whose=Whose.OURS, took=took[FRESH])
    floor = Row(what=DIRECT, whose=Whose.FLOOR, took=took[DIRECT])
    beside = Figure(
        what="own time in a get, beside the exchange", value=own.p50 - floor.p50, most=1, unit=" ms"
    )
    return Report(
        title="The agent",
        rows=[floor, Row(what=REUSED, whose=Whose.OURS, took=took[REUSED]), own],
        figures=[beside, *bounds(memory, calls)],
        memory=[memory],
    )


@contextmanager
def _agent(jfrog: Exchange, *lines: str) -> Iterator[Agent]:
    with tempfile.TemporaryDirectory(prefix="agent-") as directory:
        made = node(Path(directory), jfrog.settings(*lines), audiences=(LOOPBACK,))
        agent_settings(made)
        with started(made) as agent:
            yield agent


@contextmanager
def _straight(jfrog: Exchange) -> Iterator[Callable[[], None]]:
    """Gives what sends the last exchange once more, over a connection of its own."""
    connection = HTTPConnection(urlsplit(jfrog.origin).netloc)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    body = json.dumps({"subject_token": jfrog.seen[-1], "provider_name": "strongbox"})
    head = f"POST /access/api/v1/oidc/token HTTP/1.1\r\nHost: {LOOPBACK}\r\n"
    raw = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def send() -> None:
        connection.sock.sendall(raw)
        came = connection.sock.recv(1 << 16)
        while not came.endswith(b"}"):
            came += connection.sock.recv(1 << 16)

    yield send
    connection.close()


def _get(agent: Agent) -> None:
    reply = gone(agent.send(GET))
    if not reply.startswith(b"ok "):
        raise RuntimeError(f"the agent answered {reply[:6]!r}")


def _timed(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000


def _memory(agent: Agent, calls: int) -> Memory:
    def ask(some: int) -> None:
        for _ in range(some):
            _get(agent)

    return remembered("agent", agent.process.popen.pid, calls, ask)
