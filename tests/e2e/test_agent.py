"""Real clients pull through launcher and agent, and nothing that was issued rests anywhere."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes.deployment import Deployment
from fakes.fastpath import Client, build
from fakes.programs import Puller, environment, running
from fakes.resting import TOKEN, holding, rests_nowhere

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


def test_a_client_pulls_through_launcher_and_agent(
    *, puller: Puller, home: Path, reference: str, digest: str, agent: Path, launcher: Client
) -> None:
    path = f"{launcher.path.parent}:{environment()['PATH']}"
    done = puller.pull(home, reference, PATH=path, PULLPASS_AGENT=str(agent))

    assert done.returncode == 0, done.stderr
    assert puller.digest(home, reference) == digest


def test_a_thousand_pulls_leave_nothing_on_disk_or_beside_a_process(
    *, deployment: Deployment, home: Path, agent: Path, launcher: Client
) -> None:
    env = environment(HOME=str(home), PULLPASS_AGENT=str(agent))

    def get(_: int) -> str:
        told = launcher.ask("get", stdin=deployment.registry.encode(), env=env)
        assert told.status == 0, told.stdout
        secret: str = json.loads(told.stdout)["Secret"]
        return secret

    with ThreadPoolExecutor(AT_ONCE) as pool:
        secrets = set(pool.map(get, range(PULLS)))

    assert len(secrets) > PULLS // AT_ONCE  # only pulls that overlap share an exchange
    places = [home, deployment.directory, agent.parent]
    assert rests_nowhere(TOKEN, places, canary=next(iter(secrets)))
    assert beside_processes(TOKEN, canary=next(iter(secrets))) == set()


def beside_processes(pattern: str, canary: str) -> set[Path]:
    """Returns the environments and command lines that hold pattern, once they showed a canary."""
    shown = subprocess.Popen(["sleep", "60"], env={"CANARY": canary})
    try:
        assert f"/proc/{shown.pid}/environ" in {str(path) for path in told(pattern)}
    finally:
        shown.kill()
        shown.wait()
    return told(pattern)


def told(pattern: str) -> set[Path]:
    """Returns the files that tell of processes and hold pattern; processes come and go."""
    wanted = re.compile(pattern.encode())
    found = set()
    for path in [*Path("/proc").glob("[0-9]*/environ"), *Path("/proc").glob("[0-9]*/cmdline")]:
        try:
            if wanted.search(path.read_bytes()):
                found.add(path)
        except OSError:
            continue
    return found


def test_a_search_of_files_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("password eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl")
    assert holding(TOKEN, [tmp_path]) == {tmp_path / "log"}
