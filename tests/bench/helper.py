"""How long a pull waits for docker-credential-pullpass, beside its peers and their floors.

A run is posix_spawn to wait4, stdin a file. The agent is one that answers at once, and ECR's helper
has a warm cache of a credential in a home of its own: nobody waits for a network. Peers that are
not installed are left out; on Debian they are amazon-ecr-credential-helper and
golang-docker-credential-helpers.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import pullpass
from bench.report import Figure, Report, Row, Whose, in_turns
from fakes.fastpath import build
from fakes.helper import PROGRAM, installed, node, registry
from fakes.programs import environment
from fakes.scripted_agent import agent, ok

ECR: Final = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
ACCESS_KEY: Final = "AKIAIOSFODNN7EXAMPLE"  # the one of AWS's documentation
SECRET: Final = "x" * 900  # as long as a token is
CREDENTIAL: Final = {"ServerURL": "reg.example", "Username": "token", "Secret": SECRET}
SYSTEM_PYTHON: Final = "/usr/bin/python3"
ALONE: Final = "as pip installs it, no agent"
FLOOR: Final = "python3 -IS -c pass"
ECR_WARM: Final = "docker-credential-ecr-login get, warm cache"
# What is asked of us: at most so many times the time of the other.
WANTED: Final = {
    "launcher, agent": (ECR_WARM, 0.35),
    "python3 -IS, agent": (FLOOR, 1.15),
    "as pip installs it, agent": (FLOOR, 1.6),
}


@dataclass(frozen=True, slots=True)
class Contender:
    """A program to time."""

    name: str
    whose: Whose
    argv: list[str]
    env: Mapping[str, str]
    stdin: str = ""

    def run(self, directory: Path) -> list[float]:
        """Runs the program once and returns its milliseconds. Raises: RuntimeError if it fails."""
        (directory / "stdin").write_text(self.stdin)
        streams = [
            (os.POSIX_SPAWN_OPEN, 0, str(directory / "stdin"), os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        started = time.perf_counter()
        pid = os.posix_spawn(self.argv[0], self.argv, self.env, file_actions=streams)
        _, status, _ = os.wait4(pid, 0)
        took = (time.perf_counter() - started) * 1000
        if ended := os.waitstatus_to_exitcode(status):
            raise RuntimeError(f"{self.name}: ended with {ended}")
        return [took]


def ours(directory: Path, place: Path) -> list[Contender]:
    """Returns our programs: with the agent at place, and alone."""
    build(directory, SYSTEM_PYTHON, "-I", "-m", "pullpass.credhelper")
    asking = {"PULLPASS_AGENT": str(place)}
    alone = environment(PULLPASS_CONFIG=str(node(directory / "n", registry("reg.example")).config))
    programs = {
        "launcher, agent": str(directory / "c" / PROGRAM),
        "python3 -IS, agent": str(directory / "python" / PROGRAM),
        "as pip installs it, agent": pip_installed(directory / "venv"),
    }
    found = [
        Contender(name, Whose.OURS, [path, "get"], asking, "reg.example")
        for name, path in programs.items()
    ]
    return [*found, Contender(ALONE, Whose.OURS, [installed(), "get"], alone, "reg.example")]


def pip_installed(venv: Path) -> str:
    """Returns the program as pip installs it beside nothing else, for the system's Python."""
    words = [SYSTEM_PYTHON, "-m", "venv", "--without-pip", str(venv)]
    subprocess.run(words, check=True, timeout=60)
    package = Path(pullpass.__file__).parent
    shutil.copytree(package, next((venv / "lib").glob("python3*/site-packages")) / "pullpass")
    _, _, text = Path(installed()).read_text().partition("\n")  # without the shebang
    program = venv / "bin" / PROGRAM
    program.write_text(f"#!{venv}/bin/python3\n{text}")
    program.chmod(0o755)
    return str(program)


def floors() -> list[Contender]:
    """Returns what no program of its kind can beat."""
    return [
        Contender("/bin/true", Whose.FLOOR, ["/bin/true"], {}),
        Contender(FLOOR, Whose.FLOOR, [SYSTEM_PYTHON, "-IS", "-c", "pass"], {}),
        Contender("python3 of a venv -c pass", Whose.FLOOR, [sys.executable, "-c", "pass"], {}),
    ]


def peers(directory: Path) -> list[Contender]:
    """Returns the peers that are installed, each doing the most that it can without a network."""
    warm = warm_cache(directory / "ecr")
    asked = [
        (ECR_WARM, ["docker-credential-ecr-login", "get"], warm),
        ("docker-credential-ecr-login version", ["docker-credential-ecr-login", "version"], warm),
        ("docker-credential-pass version", ["docker-credential-pass", "version"], {}),
        (
            "docker-credential-secretservice version",
            ["docker-credential-secretservice", "version"],
            {},
        ),
    ]
    found = [(name, shutil.which(words[0]), words, env) for name, words, env in asked]
    return [
        Contender(name, Whose.PEER, [path, *words[1:]], env, ECR)
        for name, path, words, env in found
        if path
    ]


def warm_cache(home: Path) -> dict[str, str]:
    """Returns an environment in which ECR's helper has a credential at hand.

    Its cache has keys of region and access key, the latter as ``md5.Sum(text)`` of a fresh hash:
    https://github.com/awslabs/amazon-ecr-credential-helper, ecr-login/cache/build.go (0.6).
    """
    now = datetime.now(UTC)
    empty = hashlib.md5(usedforsecurity=False).digest()
    prefix = base64.b64encode(ACCESS_KEY.encode() + empty).decode()
    entry = {
        "AuthorizationToken": base64.b64encode(f"AWS:{SECRET}".encode()).decode(),
        "RequestedAt": now.isoformat(),
        "ExpiresAt": (now + timedelta(hours=12)).isoformat(),
        "ProxyEndpoint": f"https://{ECR}",
        "Service": "ecr",
    }
    cache = home / ".ecr" / "cache.json"
    cache.parent.mkdir(parents=True)
    name = f"eu-central-1-{prefix}-{ECR.partition('.')[0]}"
    cache.write_text(json.dumps({"Registries": {name: entry}, "Version": "1.0"}))
    return {
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def measured(rounds: int) -> Report:
    """Returns how long every program took, each run once a round."""
    reply = ok(f"{json.dumps(CREDENTIAL)}\n".encode())
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(agent(directory / "a.sock", lambda _: reply))
        contenders = [*ours(directory, running.path), *floors(), *peers(directory)]
        took = in_turns({one.name: partial(one.run, directory) for one in contenders}, rounds)
    rows = [Row(what=one.name, whose=one.whose, took=took[one.name]) for one in contenders]
    return Report(
        title="docker-credential-pullpass get",
        rows=sorted(rows, key=lambda row: row.p50),
        figures=_figures({row.what: row.p50 for row in rows}),
    )


def _figures(medians: Mapping[str, float]) -> list[Figure]:
    return [
        Figure(what=f"{name} / {other}", value=medians[name] / medians[other], most=most, unit=" ×")
        for name, (other, most) in WANTED.items()
        if other in medians
    ]
