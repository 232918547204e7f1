"""docker-credential-pullpass as clients run it: the installed program, on a node of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from fakes.issued import overheard
from fakes.key_files import KeyFiles
from fakes.programs import environment

PROGRAM: Final = "docker-credential-pullpass"
IN_FRONT: Final = "PULLPASS_TEST_PROGRAM"  # a path; tests set it for themselves
KEY, ISSUER, ROLE = "identity", "nodes", "docker-pull"
LOOPBACK: Final = "127.0.0.1:5000"
ISSUER_URL: Final = "https://id.example.com"
SUBJECT: Final = "registry-pull"
NOT_FOUND: Final = "credentials not found in native keychain\n"
NO_SERVER_URL: Final = "no credentials server URL\n"
TIMEOUT: Final = 60.0  # seconds; the program itself promises less than 25


class Said(NamedTuple):
    """What the program said, and its exit status."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Node:
    """A host with settings and a folder for keys and audit."""

    directory: Path

    @property
    def config(self) -> Path:
        """Returns the file of settings."""
        return self.directory / "config.toml"

    @property
    def key(self) -> Path:
        """Returns the file of the signing key."""
        return self.directory / "state" / "keys" / f"{KEY}.json"

    def environment(self) -> dict[str, str]:
        """Returns what a client has in its environment."""
        return environment(PULLPASS_CONFIG=str(self.config))

    def ask(self, action: str, stdin: bytes = b"") -> Said:
        """Runs the program with this action."""
        return run_helper(action, stdin=stdin, env=self.environment())

    def get(self, server_url: str) -> Said:
        """Asks for the credential of server_url."""
        return self.ask("get", server_url.encode())


def case(number: int, title: str, *values: object) -> object:
    """Returns a row of a table, marked with its number in the suite for any helper."""
    return pytest.param(*values, id=f"case {number}: {title}")


def node(directory: Path, *registries: str, audiences: tuple[str, ...] = ("**",)) -> Node:
    """Makes a node with a signing key and with these registries, as ``registry`` writes them."""
    made = Node(directory)
    directory.mkdir(parents=True, exist_ok=True)
    KeyFiles(directory=made.key.parent).create(KEY)
    settings = f"""\
state_dir = "{directory}/state"
[keys.{KEY}]
[issuers.{ISSUER}]
issuer = "{ISSUER_URL}"
signing_key = "{KEY}"
[issuers.{ISSUER}.roles.{ROLE}]
allowed_audiences = {json.dumps(audiences)}
subject_template = "{SUBJECT}"
"""
    made.config.write_text(settings + "".join(registries))
    return made


def registry(address: str, *lines: str, provider: str = "passthrough", role: str = ROLE) -> str:
    """Returns the settings of a registry, by default one that takes our own token as password."""
    table = f"registry.{json.dumps(address)}"
    return "\n".join(
        [
            f"[{table}]",
            f'provider = "{provider}"',
            *lines,
            f"[[{table}.credential]]",
            f'issuer = "{ISSUER}"',
            f'role = "{role}"\n',
        ]
    )


def exchanging(origin: str) -> str:
    """Returns the settings of LOOPBACK, whose credentials come from JFrog's exchange at origin."""
    settings = [f'exchange = "{origin}"', 'parameters = { provider_name = "strongbox" }']
    return registry(LOOPBACK, "insecure = true", *settings, provider="jfrog")


def installed() -> str:
    """Returns the path of the installed program, or of the one that stands in front of it."""
    found = os.environ.get(IN_FRONT) or shutil.which(PROGRAM, path=environment()["PATH"])
    assert found, f"{PROGRAM} is not installed beside this Python"
    return found


def run_helper(*arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Said:
    """Runs the program in env (default: ``environment()``) until it ends by itself."""
    done = subprocess.run(
        [installed(), *arguments],
        input=stdin,
        env=environment() if env is None else env,
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )
    said = Said(done.returncode, done.stdout.decode(), done.stderr.decode())
    overheard(said.stderr)
    return said
