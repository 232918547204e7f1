"""The host's agent at its usual place, which it opens and closes by its policy."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from fakes.agent import READY
from fakes.helper import node, registry
from fakes.programs import Process, environment, running, uncovered

ALICE: Final = 4201
GROUP: Final = 1  # daemon
# Runs what follows where nothing is in /run.
APART: Final = 'mount -t tmpfs -o mode=0755 tmpfs /run && exec "$@"'
KNOCK: Final = """
import os, socket, stat, sys
os.setgroups([int(one) for one in sys.argv[2:]])
os.setuid(int(sys.argv[1]))
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(20)
connection.connect("/run/pullpass/agent.sock")
connection.sendall(b"get 11\\nreg.example")
print(connection.recv(65536)[:3].decode())
"""


@pytest.fixture
def config(directory: Path) -> Path:
    """The settings of a host whose agent has its usual place."""
    return node(directory, registry(READY)).config


@pytest.fixture
def agent(config: Path) -> Iterator[Process]:
    """An agent with a /run of its own."""
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", APART, "sh"]
    env = environment(PULLPASS_CONFIG=str(config))
    with running([*argv, "pullpass", "agent"], log=config.with_suffix(".log"), env=env) as process:
        process.until(lambda: '"ready"' in process.printed())
        yield process


def knocked(agent: Process, uid: int, *groups: int) -> str:
    """Returns how the agent's reply to a user begins, or why there is none."""
    place = f"/proc/{agent.popen.pid}"
    there = [f"--mount={place}/ns/mnt", f"--root={place}/root"]  # ours may be no namespace's root
    inside = ["nsenter", *there, sys.executable, "-I", "-c"]
    done = subprocess.run(
        [*inside, KNOCK, str(uid), *map(str, groups)],
        env=uncovered(environment()),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return (done.stdout or done.stderr).splitlines()[-1]


def modes(agent: Process) -> list[int]:
    """Returns the modes of the folder and of the socket."""
    run = Path(f"/proc/{agent.popen.pid}/root/run/pullpass")
    return [path.stat().st_mode & 0o777 for path in (run, run / "agent.sock")]


def reloaded(agent: Process, config: Path, policy: str) -> None:
    """Lets the agent take policy over."""
    config.write_text(config.read_text().partition("[agent]")[0] + f"[agent]\n{policy}\n")
    known = agent.printed().count('"event": "reload"')
    os.kill(agent.popen.pid, signal.SIGHUP)
    agent.until(lambda: agent.printed().count('"event": "reload"') > known)


def test_a_reload_opens_the_place_to_whom_the_policy_names_and_closes_it_again(
    agent: Process, config: Path
) -> None:
    assert modes(agent) == [0o700, 0o600]
    assert "PermissionError" in knocked(agent, ALICE, GROUP)

    reloaded(agent, config, 'allow = [{ uid = 0 }, { group = "daemon" }]')
    assert modes(agent) == [0o750, 0o660]
    assert knocked(agent, ALICE, GROUP) == "ok "
    assert "PermissionError" in knocked(agent, ALICE)

    reloaded(agent, config, f"allow = [{{ uid = {ALICE} }}]")
    assert modes(agent) == [0o755, 0o666]
    assert knocked(agent, ALICE) == "ok "
    assert knocked(agent, ALICE + 1, GROUP) == "err"  # the socket is open, the policy is not

    reloaded(agent, config, "allow = [{ uid = 0 }]")
    assert modes(agent) == [0o700, 0o600]
    assert "PermissionError" in knocked(agent, ALICE)
    log = [json.loads(line) for line in agent.printed().splitlines()]
    assert not [line for line in log if "error" in line and line["event"] == "reload"]
