"""How the running agent begins, reloads and ends, and whom it tells."""

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

from fakes.agent import (
    GET,
    READY,
    TIMEOUT,
    Agent,
    agent_settings,
    exchange,
    gone,
    socket_of,
    started,
)
from fakes.helper import Node, node
from fakes.key_files import KeyFiles, key_settings, local
from fakes.programs import environment, free_port
from fakes.systemd import systemd
from pullpass.agent.protocol import Status
from pullpass.errors import AgentUnavailable
from pullpass.keys import hand


def refused_start(made: Node) -> subprocess.CompletedProcess[str]:
    """Runs an agent that is to end by itself."""
    env = environment(PULLPASS_CONFIG=str(made.config))
    return subprocess.run(
        ["pullpass", "agent"], env=env, capture_output=True, check=False, text=True, timeout=30
    )


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
    for bad in (
        "nonsense = ",
        "nonsense = 1\n" + old,
        old + 'allow = [{ user = "nobody-here" }]',
        "# \udcff",
    ):
        config.write_text(bad, errors="surrogateescape")
        seen = len(agent.records("reload"))
        os.kill(pid, signal.SIGHUP)
        agent.until(lambda: len(agent.records("reload")) > seen)  # noqa: B023 - called at once
        assert agent.get("new.example").status is Status.OK
        assert agent.records("reload")[-1]["kept"] == "the old configuration"
        assert agent.status()["reload_error"] == agent.records("reload")[-1]["error"]
    for spoil in (config.unlink, config.mkdir):  # not there, and nothing that can be read
        spoil()
        seen = len(agent.records("reload"))
        os.kill(pid, signal.SIGHUP)
        agent.until(lambda: len(agent.records("reload")) > seen)  # noqa: B023 - called at once
        assert agent.get("new.example").status is Status.OK
        assert str(config) in agent.status()["reload_error"]
    config.rmdir()
    config.write_text(old)
    os.kill(pid, signal.SIGHUP)
    agent.until(lambda: agent.get(READY).status is Status.OK)
    assert agent.get(READY).status is Status.OK
    assert agent.status()["reload_error"] is None
    assert agent.counted("reloads") == {"ok": 2, "error": 6}


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


def test_a_pull_that_outlasts_the_drain_is_broken_off_and_is_no_answer(directory: Path) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made, 'drain = "1s"')
        with started(made) as agent:
            hanging = agent.send(GET)
            agent.until(lambda: len(jfrog.seen) == 1)
            agent.process.popen.terminate()
            assert gone(hanging) == b""
            assert agent.process.popen.wait(TIMEOUT) == 0
            assert agent.records("stopped")[0]["cut_off"] == 1


@pytest.mark.parametrize("kind", ["a path", "abstract"])
def test_systemd_is_told_of_readiness_life_reload_and_end(host: Node, kind: str) -> None:
    mark = "@" if kind == "abstract" else ""
    with (
        systemd(f"{mark}{host.directory}/notify") as manager,
        started(host, NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="100000") as agent,
    ):
        assert manager.told().startswith("READY=1\n")
        assert [manager.told() for _ in range(3)] == ["WATCHDOG=1"] * 3
        os.kill(agent.process.popen.pid, signal.SIGHUP)
        assert any(one.startswith("RELOADING=1\nMONO") for one in manager.until("READY=1"))
        agent.process.popen.terminate()
        manager.until("STOPPING=1")


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


def test_it_has_keys_succeed_each_other_though_nobody_asks_it_anything(host: Node) -> None:
    long_ago = time.time() - 40 * 86400
    files = KeyFiles(directory=host.key.parent, now=lambda: long_ago)
    key = files.keys(key_settings(host.key.stem))
    local(hand.rotate(key, host.key.stem, emergency=False))
    with started(host) as agent:
        agent.until(lambda: files.load(host.key.stem).active.number == 2)
