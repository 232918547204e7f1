"""Real clients pull through launcher and agent, and nothing that was issued rests anywhere."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from fakes.deployment import Deployment
from fakes.fastpath import Client, build
from fakes.programs import Puller, environment, running, skopeo
from fakes.resting import TOKEN
from pullpass.agent.client import AgentClient
from pullpass.demo.search import prove
from pullpass.secret import Secret

PULLS = 1000
AT_ONCE = 4


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    """Where the agent listens: a private folder whose name is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="agent-"))
    yield folder / "agent.sock"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def agent(deployment: Deployment, socket: Path) -> Iterator[Path]:
    """The socket of an agent that runs on the deployment's node."""
    config = deployment.settings("agent")
    config.write_text(f'{config.read_text()}\n[agent]\nsocket = "{socket}"\n')
    env = environment(**deployment.environment(config))
    with running(["pullpass", "agent"], log=deployment.directory / "agent.log", env=env) as process:
        process.until(socket.is_socket)
        yield socket


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The launcher in C, as docker-credential-pullpass."""
    directory = tmp_path_factory.mktemp("launcher")
    build(directory)
    return Client(directory / "c" / "docker-credential-pullpass")


@pytest.fixture
def variables(agent: Path, launcher: Client) -> dict[str, str]:
    """What a client has in its environment that finds the launcher, which finds the agent."""
    path = f"{launcher.path.parent}:{environment()['PATH']}"
    return {"PATH": path, "PULLPASS_AGENT": str(agent)}


def test_a_client_pulls_through_launcher_and_agent(
    *, puller: Puller, home: Path, reference: str, digest: str, variables: dict[str, str]
) -> None:
    done = puller.pull(home, reference, **variables)

    assert done.returncode == 0, done.stderr
    assert puller.digest(home, reference) == digest


def test_a_thousand_pulls_leave_nothing_on_disk_in_a_log_or_beside_a_process(
    *,
    deployment: Deployment,
    home: Path,
    reference: str,
    agent: Path,
    launcher: Client,
    variables: dict[str, str],
) -> None:
    def pull(number: int) -> int:
        target = f"dir:pulled-{number}"
        return skopeo(home, "copy", f"docker://{reference}", target, **variables).returncode

    beside: set[Path] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pulls = [pool.submit(pull, number) for number in range(PULLS)]
        while wait(pulls, timeout=0.5).not_done:
            beside |= told(TOKEN)

    assert [one.result() for one in pulls] == [0] * PULLS
    assert len(list(home.glob("pulled-*/manifest.json"))) == PULLS
    counters = json.loads(AgentClient(agent).ask("status").body)["counters"]
    assert counters["requests"]["get ok"] >= PULLS
    assert counters["exchanges"] > PULLS // AT_ONCE  # only pulls that overlap share one
    env = environment(HOME=str(home), **variables)
    said = launcher.ask("get", stdin=deployment.registry.encode(), env=env)
    secret = Secret(json.loads(said.stdout)["Secret"])
    for place in (home, deployment.directory, agent.parent):
        prove(place, [secret])  # raises if it finds one, or cannot find what it planted
    assert beside == beside_processes(secret) == set()


def beside_processes(canary: Secret) -> set[Path]:
    """Returns the environments and command lines that hold tokens, once they showed a canary."""
    shown = subprocess.Popen(["sleep", "60"], env={"CANARY": canary.reveal()})
    try:
        assert f"/proc/{shown.pid}/environ" in {str(path) for path in told(TOKEN)}
    finally:
        shown.kill()
        shown.wait()
    return told(TOKEN)


def told(pattern: str) -> set[Path]:
    """Returns what tells of a process that this one started, and holds pattern."""
    wanted = re.compile(pattern.encode())
    return {
        path
        for process in descendants()
        for path in (process / "environ", process / "cmdline")
        if wanted.search(content(path))
    }


def descendants() -> list[Path]:
    """Returns the folders in /proc of all processes that this one started, however indirectly."""
    stats = {path.parent: content(path) for path in Path("/proc").glob("[0-9]*/stat")}
    # proc(5): the parent is the second field behind the name, which stands in parentheses.
    parents = {
        process: Path(f"/proc/{int(stat.rpartition(b')')[2].split()[1])}")
        for process, stat in stats.items()
        if stat
    }
    found = [Path(f"/proc/{os.getpid()}")]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found[1:]


def content(path: Path) -> bytes:
    """Returns what path holds; processes come and go."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
