"""How the running agent begins, reloads, ends and bears what is done to it."""

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from fakes.agent import (
    TIMEOUT,
    Agent,
    Exchange,
    agent_settings,
    descriptors,
    exchange,
    memory,
    socket_of,
    started,
)
from fakes.helper import LOOPBACK, Node, node
from fakes.programs import environment, free_port
from pullpass.agent.client import AgentClient
from pullpass.agent.protocol import Status
from pullpass.errors import AgentError, AgentUnavailable

READY: Final = "reg.example"
FEW: Final = "max_connections = 8\nmax_connections_per_user = 8"
GET: Final = b"get %d\n%s" % (len(LOOPBACK), LOOPBACK.encode())


def refused_start(made: Node) -> subprocess.CompletedProcess[str]:
    """Runs an agent that is to end by itself."""
    env = environment(PULLPASS_CONFIG=str(made.config))
    return subprocess.run(
        ["pullpass", "agent"], env=env, capture_output=True, check=False, text=True, timeout=30
    )


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


def test_fifty_pulls_of_one_user_at_once_make_one_exchange(directory: Path) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent, ThreadPoolExecutor(50) as pool:
            waiting = [pool.submit(agent.get) for _ in range(50)]
            agent.until(lambda: agent.counted("shared") == 49)
            jfrog.open.set()
            replies = {one.result(TIMEOUT).body for one in waiting}
    assert len(jfrog.seen) == 1
    assert len(replies) == 1


def test_the_first_who_asked_may_go_and_the_others_are_answered(directory: Path) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent:
            first = agent.send(GET)
            agent.until(lambda: len(jfrog.seen) == 1)
            others = [agent.send(GET) for _ in range(2)]
            agent.until(lambda: agent.counted("shared") == 2)
            first.close()
            agent.until(lambda: len(agent.records("get")) == 1)
            jfrog.open.set()
            assert [gone(one)[:3] for one in others] == [b"ok "] * 2
            assert agent.records("get")[0]["error"] == "the caller left"
    assert len(jfrog.seen) == 1


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


def test_thousands_of_connections_that_send_nothing_leave_nothing_behind(agent: Agent) -> None:
    pid = agent.process.popen.pid

    def knock(times: int) -> None:
        for _ in range(0, times, 100):
            for _ in range(100):
                agent.send(b"").close()
            agent.until(lambda: agent.status()["connections"] == 1)

    knock(500)
    before, files = memory(pid), descriptors(pid)
    knock(3000)
    assert descriptors(pid) <= files + 1
    assert memory(pid) < before + (2 << 20)


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


def test_what_an_agent_left_behind_is_replaced(host: Node) -> None:
    with started(host) as agent:
        agent.process.popen.kill()
        agent.process.popen.wait(TIMEOUT)
        assert stat.S_ISSOCK(agent.path.stat().st_mode)
        with pytest.raises(AgentUnavailable):
            agent.get(READY)
    with started(host) as agent:
        assert agent.get(READY).status is Status.OK


def test_a_second_agent_is_refused_and_the_first_serves_on(agent: Agent) -> None:
    done = refused_start(agent.node)
    assert done.returncode == 64
    assert "another agent runs already" in done.stderr
    assert agent.get(READY).status is Status.OK


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda place: place.chmod(0o777), "others can write in"),
        (lambda place: place.chmod(0o770), "others can write in"),
        (lambda place: os.chown(place, 4201, 4201), "belongs to somebody else"),
        (lambda place: place.joinpath("agent.sock").touch(), "is there and no socket"),
        (lambda place: place.joinpath("agent.sock.lock").mkdir(), "Is a directory"),
        (lambda place: (place.rmdir(), place.touch()), "is no directory"),
        (lambda place: (place.rmdir(), place.symlink_to(place.parent)), "is no directory"),
    ],
)
def test_a_place_that_is_not_private_is_refused(
    host: Node, prepare: Callable[[Path], object], reason: str
) -> None:
    socket_of(host).parent.mkdir()
    prepare(socket_of(host).parent)
    done = refused_start(host)
    assert done.returncode == 78
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_sighup_takes_a_new_configuration_and_keeps_the_old_one_from_a_bad_one(
    agent: Agent,
) -> None:
    pid, config = agent.process.popen.pid, agent.node.config
    old = config.read_text()
    config.write_text(old.replace(READY, "new.example"))
    os.kill(pid, signal.SIGHUP)
    agent.until(lambda: len(agent.records("reload")) == 1)
    assert agent.get("new.example").status is Status.OK
    assert agent.get(READY).status is Status.SELF
    for bad in ("nonsense = ", "nonsense = 1\n" + old, old + 'allow = [{ user = "nobody-here" }]'):
        config.write_text(bad)
        seen = len(agent.records("reload"))
        os.kill(pid, signal.SIGHUP)
        agent.until(lambda: len(agent.records("reload")) > seen)  # noqa: B023 - called at once
        assert agent.get("new.example").status is Status.OK
        assert agent.records("reload")[-1]["kept"] == "the old configuration"
        assert agent.status()["reload_error"] == agent.records("reload")[-1]["error"]
    config.unlink()
    os.kill(pid, signal.SIGHUP)
    agent.until(lambda: len(agent.records("reload")) == 5)
    assert agent.get("new.example").status is Status.OK
    config.write_text(old)
    os.kill(pid, signal.SIGHUP)
    agent.until(lambda: len(agent.records("reload")) == 6)
    assert agent.get(READY).status is Status.OK
    assert agent.status()["reload_error"] is None
    assert agent.counted("reloads") == {"ok": 2, "error": 4}


def test_sigterm_lets_running_pulls_end_and_takes_no_new_ones(directory: Path) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent:
            running, idle = agent.send(GET), agent.send(b"")
            agent.until(lambda: len(jfrog.seen) == 1)
            agent.process.popen.terminate()
            assert gone(idle) == b""
            with pytest.raises(AgentUnavailable):
                agent.get(READY)
            jfrog.open.set()
            assert gone(running).startswith(b"ok ")
            assert agent.process.popen.wait(TIMEOUT) == 0
            assert agent.records("stopped")[0]["cut_off"] == 0
            assert not agent.path.exists()


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_of_readiness_life_reload_and_end(host: Node, *, abstract: bool) -> None:
    path = f"{host.directory}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{path}" if abstract else path)
        systemd.settimeout(TIMEOUT)
        address = f"@{path}" if abstract else path
        with started(host, NOTIFY_SOCKET=address, WATCHDOG_USEC="100000") as agent:
            assert systemd.recv(1000).startswith(b"READY=1\n")
            assert [systemd.recv(1000) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            os.kill(agent.process.popen.pid, signal.SIGHUP)
            told = _told_until(systemd, b"READY=1")
            assert any(one.startswith(b"RELOADING=1\nMONOTONIC_USEC=") for one in told)
            agent.process.popen.terminate()
            _told_until(systemd, b"STOPPING=1")


def _told_until(systemd: socket.socket, last: bytes) -> list[bytes]:
    told: list[bytes] = []
    while not told or told[-1] != last:
        told.append(systemd.recv(1000))
    return told


def test_the_agent_leaves_no_core(agent: Agent) -> None:
    limits = Path(f"/proc/{agent.process.popen.pid}/limits").read_text()
    assert "Max core file size        0                    0" in limits


@pytest.mark.parametrize("kind", ["port", "socket"])
def test_prometheus_is_told_the_counts(host: Node, kind: str) -> None:
    port, path = free_port(), host.directory / "metrics.sock"
    where = f"127.0.0.1:{port}" if kind == "port" else str(path)
    agent_settings(host, f'metrics = "{where}"')
    with started(host) as agent:
        agent.get(READY)
        agent.get("other.example")
        connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        if kind == "socket":
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(TIMEOUT)
            connection.sock.connect(str(path))
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
    assert answer.status == 200
    assert 'pullpass_agent_requests_total{status="ok",verb="get"} 1.0' in text
    assert 'pullpass_agent_requests_total{status="self",verb="get"} 1.0' in text
    assert "pullpass_agent_exchanges_total 1.0" in text


def test_a_full_disk_behind_the_audit_is_an_error_and_not_an_end(agent: Agent) -> None:
    audit = agent.node.directory / "state" / "audit.jsonl"
    audit.unlink(missing_ok=True)
    audit.symlink_to("/dev/full")
    reply = agent.get(READY)
    assert reply.status is Status.ERROR
    assert b"No space left on device" in reply.body
    audit.unlink()
    assert agent.get(READY).status is Status.OK


def test_without_reuse_each_pull_has_an_exchange_of_its_own(agent: Agent, jfrog: Exchange) -> None:
    assert len({agent.get().body for _ in range(3)}) == 3
    assert len(set(jfrog.seen)) == 3


def test_a_key_that_is_gone_is_a_failure_and_not_a_registry_that_is_none_of_ours(
    host: Node,
) -> None:
    with started(host) as agent:
        host.key.unlink()
        told = json.loads(agent.client.ask("resolve", b'{"registry": "reg.example"}').body)
    assert told["kind"] == "IdentityError"
    assert "there is no key identity" in told["error"]
