"""Deaths, full disks and lost keys: never half an answer, and nothing lost."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes.agent import (
    READY,
    TIMEOUT,
    Agent,
    agent_settings,
    exchange,
    started,
)
from fakes.helper import Node, node
from pullpass.agent.client import AgentClient
from pullpass.agent.protocol import Status
from pullpass.errors import AgentError, AgentUnavailable


def test_a_kill_in_the_middle_of_a_request_is_never_an_answer(directory: Path) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent, ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(agent.get)
            agent.until(lambda: len(jfrog.seen) == 1)
            agent.process.popen.kill()
            with pytest.raises(AgentError, match="failed: its reply was cut short") as failed:
                waiting.result(TIMEOUT)
            assert not isinstance(failed.value, AgentUnavailable)


@pytest.mark.parametrize("end", range(len(b"ok 4\nabc\n")))
def test_a_reply_cut_short_at_any_byte_is_never_an_answer(directory: Path, end: int) -> None:
    path = directory / "sock"
    with socket.socket(socket.AF_UNIX) as listener, ThreadPoolExecutor(1) as pool:
        listener.bind(str(path))
        listener.listen()
        waiting = pool.submit(AgentClient(path, TIMEOUT).ask, "get", b"reg.example")
        connection, _ = listener.accept()
        connection.recv(100)
        connection.sendall(b"ok 4\nabc\n"[:end])
        connection.close()
        with pytest.raises(AgentError, match="cut short"):
            waiting.result(TIMEOUT)


def test_a_full_disk_behind_the_audit_is_an_error_and_not_an_end(agent: Agent) -> None:
    audit = agent.node.directory / "state" / "audit.jsonl"
    audit.unlink(missing_ok=True)
    audit.symlink_to("/dev/full")
    reply = agent.get(READY)
    assert reply.status is Status.ERROR
    assert b"No space left on device" in reply.body
    audit.unlink()
    assert agent.get(READY).status is Status.OK


def test_a_key_that_is_gone_is_a_failure_and_not_a_registry_that_is_none_of_ours(
    host: Node,
) -> None:
    with started(host) as agent:
        host.key.unlink()
        told = json.loads(agent.client.ask("resolve", b'{"registry": "reg.example"}').body)
    assert told["kind"] == "IdentityError"
    assert "there is no key identity" in told["error"]
