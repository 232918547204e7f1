"""Every program that is installed as docker-credential-pullpass, and what is around it."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from fakes.helper import PROGRAM, installed
from fakes.issued import overheard
from fakes.programs import environment

LAUNCHER: Final = Path(__file__).parents[2] / "packaging" / "launcher"
SANITIZED: Final = "-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
TIMEOUT: Final = 90.0  # seconds: 25 for the agent, 20 for the exchange, and a busy machine


class Told(NamedTuple):
    """What a program said, byte by byte, and its exit status."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Client:
    """A program that asks the agent."""

    path: Path

    def ask(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str]) -> Told:
        """Runs the program in env until it ends by itself."""
        return told([str(self.path), *arguments], stdin=stdin, env=env)


def told(argv: list[str], *, stdin: bytes = b"", env: Mapping[str, str]) -> Told:
    """Runs argv in env until it ends by itself."""
    done = subprocess.run(
        argv, input=stdin, env=env, capture_output=True, check=False, timeout=TIMEOUT
    )
    overheard(done.stderr.decode(errors="replace"))
    return Told(done.returncode, done.stdout, done.stderr)


def clients(directory: Path) -> dict[str, Client]:
    """Builds the clients in directory: as pip installs it, as packages do, in C, in C sanitized.

    Whoever hands over starts the full program of this virtual environment.
    """
    python = str(Path(sys.executable).resolve())
    build(directory / "release", PYTHON=python)
    build(directory / "sanitized", PYTHON=python, CFLAGS=SANITIZED, LDFLAGS="-fsanitize=undefined")
    return {
        "pip": Client(Path(installed())),
        "script": Client(directory / "release" / "python" / PROGRAM),
        "launcher": Client(directory / "release" / "c" / PROGRAM),
        "sanitized": Client(directory / "sanitized" / "c" / PROGRAM),
    }


def build(directory: Path, *full_program: str, **variables: str) -> None:
    """Builds launcher and script in directory. Warnings are errors.

    Args:
        directory: what ``packaging/launcher/build`` fills.
        full_program: the words that start it; by default that of this virtual environment.
        variables: of the build.
    """
    words = full_program or (sys.executable, "-I", "-m", "pullpass.credhelper")
    done = subprocess.run(
        [LAUNCHER / "build", directory, *words],
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr


def below_run(socket: Path) -> list[str]:
    """Returns the words that run a program where /run holds socket as the host's agent alone."""
    unshare = shutil.which("unshare", path=environment()["PATH"])
    assert unshare
    script = (
        "mount -t tmpfs tmpfs /run && mkdir /run/pullpass &&"
        ' ln -s "$0" /run/pullpass/agent.sock && exec "$@"'
    )
    return [unshare, "--mount", "--propagation", "private", "sh", "-c", script, str(socket)]
