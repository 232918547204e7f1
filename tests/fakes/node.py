"""A host with pullpass, one registry and no key: its commands run in this process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fakes.issued import overheard
from pullpass.cli.main import run
from pullpass.config.load import VARIABLE

SETTINGS = """
state_dir = "{state}"

[keys.identity]

[issuers.nodes]
issuer = "https://id.example.com/nodes"
signing_key = "identity"

[issuers.nodes.roles.docker-pull]
allowed_audiences = ["registry.example.com", "127.0.0.1:*"]
subject_template = "registry-pull"
max_ttl = "30m"

[issuers.nodes.roles.by-pod]
allowed_audiences = ["registry.example.com"]
subject_template = "${{k8s.pod}}"

# This provider asks nobody: the token itself is the password.
[registry."registry.example.com"]
provider = "passthrough"
[[registry."registry.example.com".credential]]
repository = "team/*"
issuer = "nodes"
role = "docker-pull"
[[registry."registry.example.com".credential]]
repository = "pods/*"
issuer = "nodes"
role = "by-pod"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str = field(repr=False)
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A host whose files are below directory."""

    directory: Path
    capture: pytest.CaptureFixture[str]
    environment: pytest.MonkeyPatch

    @property
    def state(self) -> Path:
        """Returns where keys and audit are."""
        return self.directory / "state"

    @property
    def config(self) -> Path:
        """Returns the file that PULLPASS_CONFIG names."""
        return self.directory / "config.toml"

    @property
    def variables(self) -> Mapping[str, str]:
        """Returns what a program on this host has in its environment."""
        return {VARIABLE: str(self.config)}

    def configure(self, more: str = "", settings: str = SETTINGS) -> None:
        """Writes the configuration."""
        self.config.write_text(settings.format(state=self.state) + more)

    def pullpass(self, *arguments: str) -> Outcome:
        """Runs ``pullpass`` with arguments."""
        for name, value in self.variables.items():
            self.environment.setenv(name, value)
        self.capture.readouterr()
        status = run(arguments)
        out, err = self.capture.readouterr()
        overheard(err)
        return Outcome(status=status, out=out, err=err)

    def files(self) -> list[str]:
        """Returns the paths of all files in the state directory."""
        found = (path for path in self.state.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.state)) for path in found)
