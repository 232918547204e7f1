"""What the agent takes on its socket, and what it bears there."""

import socket
from contextlib import ExitStack, suppress
from typing import Final

import pytest

from fakes.agent import (
    GET,
    READY,
    TIMEOUT,
    Agent,
    agent_settings,
    descriptors,
    gone,
    memory,
    started,
)
from fakes.helper import Node
from pullpass.agent.protocol import Status
from pullpass.errors import AgentError

PER_USER: Final = 256  # connections; the default
FEW: Final = "max_connections = 8\nmax_connections_per_user = 8"


def test_whoever_only_says_that_nothing_more_comes_is_answered(agent: Agent) -> None:
    connection = agent.send(GET)
    connection.shutdown(socket.SHUT_WR)
    assert gone(connection).startswith(b"ok ")


def test_a_request_may_come_byte_by_byte(agent: Agent) -> None:
    connection = agent.send(b"")
    for at in range(len(GET)):
        connection.sendall(GET[at : at + 1])
    assert gone(connection).startswith(b"ok ")


@pytest.mark.parametrize(
    "raw",
    [
        b"\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"get 01\nx",
        b"get 65537\n",
        b"get 3\nabcd",
        b"x" * 64,
        b"x" * 200_000,
        b"\x00" * 64,
    ],
)
def test_what_is_no_request_is_refused_with_a_sentence(resident: Agent, raw: bytes) -> None:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT)
    connection.connect(str(resident.path))
    with suppress(OSError):  # it may be refused before all of it was sent
        connection.sendall(raw)
    said = gone(connection)
    assert said.startswith(b"error ")
    assert b"no request: " in said
    assert resident.get(READY).status is Status.OK


def test_a_request_cut_short_gets_nothing(resident: Agent) -> None:
    for end in range(len(GET)):
        connection = resident.send(GET[:end])
        connection.shutdown(socket.SHUT_WR)
        assert gone(connection) == b""


def test_connections_that_send_nothing_are_closed_and_the_others_served(host: Node) -> None:
    agent_settings(host, FEW)
    with started(host) as agent:
        idle = [agent.send(b"") for _ in range(7)]
        agent.until(lambda: agent.status()["connections"] == 8)
        assert agent.get(READY).status is Status.OK
        last = agent.send(b"")
        agent.until(lambda: descriptors(agent.process.popen.pid) > 0 and _is_full(agent))
        assert [gone(one) for one in (*idle, last)] == [b""] * 8  # after a few seconds
        assert agent.get(READY).status is Status.OK
        assert agent.counted("refused") >= 1


def _is_full(agent: Agent) -> bool:
    """Tells whether one connection more is sent away at once."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT)
    connection.connect(str(agent.path))
    connection.settimeout(0.5)
    try:
        return gone(connection) == b"self 0\n"
    except TimeoutError:
        connection.close()
        return False


@pytest.mark.parametrize("at_once", [1, PER_USER])
def test_a_hundred_thousand_connections_that_send_nothing_leave_nothing_behind(
    agent: Agent, at_once: int
) -> None:
    pid = agent.process.popen.pid
    came = knocked(agent, 20_000, at_once)
    before, files = memory(pid), descriptors(pid)

    came += knocked(agent, 100_000, at_once)

    assert descriptors(pid) <= files
    assert memory(pid) < before + (4 << 20)  # 40 bytes for each of them
    counters = agent.status()["counters"]
    assert counters["malformed"] + counters["refused"] >= came
    assert agent.get(READY).status is Status.OK


def knocked(agent: Agent, times: int, at_once: int) -> int:
    """Connects and says nothing, at_once at the same time, and returns how many did in all."""
    for _ in range(times // at_once):
        with ExitStack() as silent:
            for _ in range(at_once):
                silent.enter_context(agent.send(b""))
            if at_once == PER_USER:
                assert gone(agent.send(b"")) == b"self 0\n"  # one more is sent away at once
        if at_once == PER_USER:
            agent.until(lambda: is_alone(agent))
    agent.until(lambda: is_alone(agent))
    return times // at_once * at_once


def is_alone(agent: Agent) -> bool:
    """Tells whether nobody else is inside; whoever asks while too many are is sent away."""
    try:
        return bool(agent.status()["connections"] == 1)
    except (AgentError, ValueError):
        return False
