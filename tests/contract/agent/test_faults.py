"""Deaths, full disks and lost keys: never half an answer, and nothing lost."""

import json
import resource
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes.agent import (
    GET,
    READY,
    TIMEOUT,
    Agent,
    Exchange,
    agent_settings,
    descriptors,
    exchange,
    gone,
    started,
)
from fakes.helper import Node, node
from pullpass.agent.client import AgentClient
from pullpass.agent.protocol import Status, parse_reply
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


@pytest.mark.parametrize("sent", [0, len(GET) // 2, len(GET)])
def test_a_kill_at_any_point_of_a_request_is_no_reply(directory: Path, sent: int) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent:
            connection = agent.send(GET[:sent])
            agent.until(lambda: agent.status()["connections"] == 2)
            if sent == len(GET):
                agent.until(lambda: len(jfrog.seen) == 1)
            agent.process.popen.kill()
            assert gone(connection) == b""


def test_a_kill_in_the_middle_of_a_reply_is_no_answer(directory: Path) -> None:
    with exchange() as jfrog:
        jfrog.padding = 600_000  # more than a socket takes before somebody reads
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent:
            whole = len(agent.get().body)
            connection = agent.send(GET)
            came = connection.recv(100)
            agent.process.popen.kill()
            came += gone(connection)
    assert came.startswith(b"ok ")
    assert 100 < len(came) < whole
    assert parse_reply(came) is None


def test_the_last_who_leaves_ends_the_exchange_too(directory: Path) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent:
            agent.status()
            before = descriptors(agent.process.popen.pid)
            callers = [agent.send(GET) for _ in range(2)]
            agent.until(lambda: len(jfrog.seen) == 1 and agent.counted("shared") == 1)
            assert descriptors(agent.process.popen.pid) > before
            for caller in callers:
                caller.close()
            agent.until(lambda: descriptors(agent.process.popen.pid) == before)
            assert [one["error"] for one in agent.records("get")] == ["the caller left"] * 2


def test_a_full_disk_behind_the_audit_mints_nothing_and_ends_nothing(
    agent: Agent, jfrog: Exchange
) -> None:
    audit = agent.node.directory / "state" / "audit.jsonl"
    audit.unlink(missing_ok=True)
    audit.symlink_to("/dev/full")
    for reply in (agent.get(READY), agent.get()):
        assert reply.status is Status.ERROR
        assert b"nothing is minted without an audit line" in reply.body
        assert b"No space left on device" in reply.body
    assert not jfrog.seen
    audit.unlink()
    assert agent.get(READY).status is Status.OK
    assert agent.get().status is Status.OK


def test_a_disk_that_fills_within_an_audit_line_keeps_the_lines_before_and_after(
    agent: Agent,
) -> None:
    audit = agent.node.directory / "state" / "audit.jsonl"
    assert agent.get(READY).status is Status.OK
    full = audit.stat().st_size + 20
    _, hard = resource.prlimit(agent.process.popen.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(agent.process.popen.pid, resource.RLIMIT_FSIZE, (full, hard))
    assert b"the audit line did not fit" in agent.get(READY).body
    resource.prlimit(agent.process.popen.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert agent.get(READY).status is Status.OK
    kept = [json.loads(line)["decision"] for line in audit.read_text().splitlines()]
    assert kept == ["allow", "allow"]


def test_a_key_that_is_gone_is_a_failure_and_not_a_registry_that_is_none_of_ours(
    host: Node,
) -> None:
    with started(host) as agent:
        host.key.unlink()
        told = json.loads(agent.client.ask("resolve", b'{"registry": "reg.example"}').body)
    assert told["kind"] == "IdentityError"
    assert "there is no key identity" in told["error"]
