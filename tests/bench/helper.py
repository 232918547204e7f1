"""How long a pull waits for docker-credential-pullpass, beside its peers and their floors.

    python tests/bench/helper.py [--rounds N] [--svg FILE]

All programs take turns in random order, each round one run of each, so that whatever else the
machine does befalls all of them alike. A run is posix_spawn to wait4, stdin a file. The agent is
one that answers at once, and ECR's helper has a warm cache of a credential in a home of its own:
nobody waits for a network. Peers that are not installed are left out; on Debian they are
amazon-ecr-credential-helper and golang-docker-credential-helpers.
"""

import argparse
import base64
import hashlib
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pullpass

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.fastpath import build
from fakes.helper import PROGRAM, installed, node, registry
from fakes.programs import environment
from fakes.scripted_agent import agent, ok

WARM_UP: Final = 5  # rounds
ECR: Final = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
ACCESS_KEY: Final = "AKIAIOSFODNN7EXAMPLE"  # the one of AWS's documentation
SECRET: Final = "x" * 900  # as long as a token is
CREDENTIAL: Final = {"ServerURL": "reg.example", "Username": "token", "Secret": SECRET}
SYSTEM_PYTHON: Final = "/usr/bin/python3"
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
    """A program to time, and how long its runs took so far, in milliseconds."""

    name: str
    argv: list[str]
    env: Mapping[str, str]
    stdin: str = ""
    status: int = 0
    took: list[float] = field(default_factory=list)

    def run(self, directory: Path) -> None:
        """Runs the program once. Raises: RuntimeError if it does not end as it should."""
        (directory / "stdin").write_text(self.stdin)
        streams = [
            (os.POSIX_SPAWN_OPEN, 0, str(directory / "stdin"), os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        started = time.perf_counter()
        pid = os.posix_spawn(self.argv[0], self.argv, self.env, file_actions=streams)
        _, status, _ = os.wait4(pid, 0)
        self.took.append((time.perf_counter() - started) * 1000)
        if os.waitstatus_to_exitcode(status) != self.status:
            raise RuntimeError(f"{self.name}: ended with {os.waitstatus_to_exitcode(status)}")

    @property
    def median(self) -> float:
        """Returns the median in milliseconds."""
        return statistics.median(self.took)


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
        Contender(name, [path, "get"], asking, "reg.example") for name, path in programs.items()
    ]
    return [
        *found,
        Contender("as pip installs it, alone", [installed(), "get"], alone, "reg.example"),
    ]


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
        Contender("/bin/true", ["/bin/true"], {}),
        Contender(FLOOR, [SYSTEM_PYTHON, "-IS", "-c", "pass"], {}),
        Contender("python of the venv, -c pass", [sys.executable, "-c", "pass"], {}),
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
        Contender(name, [path, *words[1:]], env, ECR) for name, path, words, env in found if path
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


def table(contenders: Sequence[Contender]) -> str:
    """Returns the medians as a table, and what they are in terms of each other."""
    lines = [f"{'':44}{'median ms':>10}{'p95':>8}{'min':>8}"]
    for one in sorted(contenders, key=lambda one: one.median):
        p95 = statistics.quantiles(one.took, n=20)[-1]
        lines.append(f"{one.name:44}{one.median:10.2f}{p95:8.2f}{min(one.took):8.2f}")
    by_name = {one.name: one.median for one in contenders}
    lines.append("")
    for name, (other, most) in WANTED.items():
        if name in by_name and other in by_name:
            ratio = by_name[name] / by_name[other]
            lines.append(f"{name} / {other}: {ratio:.2f}, wanted at most {most}")
    return "\n".join(lines)


def plot(contenders: Sequence[Contender]) -> str:
    """Returns the medians as an SVG of bars, on a logarithmic scale that begins at 0.1 ms."""
    ordered = sorted(contenders, key=lambda one: one.median)
    height = 24 * len(ordered) + 24
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{height}"',
        ' font-family="sans-serif" font-size="12">',
    ]
    for at, one in enumerate(ordered):
        y, width = 12 + 24 * at, max(2.0, 120 * math.log10(one.median * 10))
        colour = "#2a7" if one.name in WANTED else "#999"
        lines += [
            f'<text x="296" y="{y + 13}" text-anchor="end">{one.name}</text>',
            f'<rect x="304" y="{y}" width="{width:.0f}" height="18" fill="{colour}"/>',
            f'<text x="{310 + width:.0f}" y="{y + 13}">{one.median:.2f} ms</text>',
        ]
    return "\n".join([*lines, "</svg>\n"])


def measured(rounds: int) -> list[Contender]:
    """Returns every contender after so many rounds in which each ran once."""
    reply = ok(f"{json.dumps(CREDENTIAL)}\n".encode())
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(agent(directory / "a.sock", lambda _: reply))
        contenders = [*ours(directory, running.path), *floors(), *peers(directory)]
        for at in range(rounds + WARM_UP):
            for one in random.sample(contenders, len(contenders)):
                one.run(directory)
                if at < WARM_UP:
                    one.took.clear()
    return contenders


def main() -> None:
    """Prints the table and writes the plot."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=200)
    arguments.add_argument("--svg", type=Path, help="where the plot goes")
    chosen = arguments.parse_args()
    contenders = measured(chosen.rounds)
    print(table(contenders))
    if chosen.svg:
        chosen.svg.write_text(plot(contenders))


if __name__ == "__main__":
    main()
