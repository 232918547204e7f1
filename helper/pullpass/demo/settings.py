"""The demo's configuration: a node's and a token server's, each as on a host of its own."""

import json
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pullpass.config.load import VARIABLE, load
from pullpass.config.model import Config

REPOSITORY: Final = "team/app"
TAG: Final = "demo"
_PORTS: Final = range(20000, 32000)  # below what Linux gives to outgoing connections

_NODE: Final = """\
# A host that pulls: its own issuer, and one registry without a secret.
state_dir = "{directory}/node"

[keys.identity]
type = "ecdsa-p256"

[issuers.demo]
issuer = "{issuer}"
insecure = true                         # plain http, which is allowed on loopback only
signing_key = "identity"

[issuers.demo.roles.docker-pull]
allowed_audiences = ["{registry}"]
subject_template = "registry-pull"

[issuers.demo.roles.publisher]
allowed_audiences = ["{registry}"]
subject_template = "publisher"

[serve.issuer]
listen = "{issuer_listen}"

[registry."{registry}"]
provider = "jfrog"                      # the exchange that the token server answers
exchange = "{token_server}"
insecure = true
parameters = {{ provider_name = "demo" }}
[[registry."{registry}".credential]]
repository = "*"
issuer = "demo"
role = "{role}"
"""

_TOKEN_SERVER: Final = """\
# Whom the registry trusts, and for what.
state_dir = "{directory}/token-server"

[keys.registry-token]
[keys.exchange]

[serve.token-server]
listen = "{token_listen}"

[services."{registry}"]
issuer = "{token_server}"
insecure = true
signing_key = "registry-token"
exchange_key = "exchange"

[connections.demo]
issuer = "{issuer}"
insecure = true
audiences = ["{registry}"]
[[connections.demo.rulesets]]
label = "nodes"
subject = ["registry-pull"]
resources = ["repository:team/*"]
actions = ["pull"]
username = "puller"
[[connections.demo.rulesets]]
label = "publishers"
subject = ["publisher"]
resources = ["repository:team/*"]
actions = ["pull", "push"]
"""


_REGISTRY: Final = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{directory}/registry"}}}}
http: {{addr: "{registry}", secret: "of one process"}}
auth:
  token:
    realm: "{token_server}/token"
    service: "{registry}"
    issuer: "{token_server}"
    rootcertbundle: "{certificate}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Three ports of loopback. Nobody promises that they are free: see ``programs``."""

    issuer_port: int
    token_port: int
    registry_port: int

    @property
    def issuer(self) -> str:
        """Returns the issuer's URL."""
        return f"http://127.0.0.1:{self.issuer_port}/jwt/demo"

    @property
    def token_server(self) -> str:
        """Returns the token server's URL."""
        return f"http://127.0.0.1:{self.token_port}"

    @property
    def registry(self) -> str:
        """Returns the registry's address, ``host:port``."""
        return f"127.0.0.1:{self.registry_port}"


def draw_addresses() -> Addresses:
    """Returns three different ports at random."""
    ports = random.sample(_PORTS, 3)
    return Addresses(issuer_port=ports[0], token_port=ports[1], registry_port=ports[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The demo's files. All of them, and all that the programs write, are below ``directory``."""

    directory: Path
    addresses: Addresses

    @property
    def node(self) -> Path:
        """Returns the configuration of the host that pulls."""
        return self.directory / "node.toml"

    @property
    def publisher(self) -> Path:
        """Returns the same configuration with the role of who pushes."""
        return self.directory / "publisher.toml"

    @property
    def token_server(self) -> Path:
        """Returns the token server's configuration."""
        return self.directory / "token-server.toml"

    @property
    def home(self) -> Path:
        """Returns the home of the client that pulls."""
        return self.directory / "home"

    @property
    def certificate(self) -> Path:
        """Returns the bundle by which the registry knows the token server."""
        return self.directory / "registry-token.pem"

    def write(self) -> None:
        """Writes the configurations, and Docker's with our helper for the demo's registry."""
        for path, text, role in (
            (self.node, _NODE, "docker-pull"),
            (self.publisher, _NODE, "publisher"),
            (self.token_server, _TOKEN_SERVER, ""),
        ):
            path.write_text(text.format(**self._values(), role=role), encoding="utf-8")
        docker = self.home / ".docker"
        docker.mkdir(parents=True, exist_ok=True)
        helpers = {"credHelpers": {self.addresses.registry: "pullpass"}}
        (docker / "config.json").write_text(json.dumps(helpers), encoding="utf-8")

    def write_registry(self) -> Path:
        """Writes the settings of docker-registry and returns their file."""
        path = self.directory / "registry.yml"
        path.write_text(_REGISTRY.format(**self._values()), encoding="utf-8")
        return path

    def environment(self, config: Path, **more: str) -> dict[str, str]:
        """Returns what a program of the demo has in its environment: nothing of the caller's."""
        return {**kept_environment(), "HOME": str(self.home), VARIABLE: str(config), **more}

    def embedded_registry(self) -> str:
        """Returns the settings of the embedded registry."""
        auth = {
            "realm": f"{self.addresses.token_server}/token",
            "service": self.addresses.registry,
            "issuer": self.addresses.token_server,
            "certificates": str(self.certificate),
        }
        return json.dumps({"root": str(self.directory / "registry"), "auth": auth})

    def load(self, config: Path) -> Config:
        """Returns the settings of one of the configurations."""
        return load({VARIABLE: str(config)})

    def _values(self) -> Mapping[str, Any]:
        return {
            "directory": _quoted(self.directory),
            "issuer": self.addresses.issuer,
            "issuer_listen": f"127.0.0.1:{self.addresses.issuer_port}",
            "token_server": self.addresses.token_server,
            "token_listen": f"127.0.0.1:{self.addresses.token_port}",
            "registry": self.addresses.registry,
            "certificate": _quoted(self.certificate),
        }


def _quoted(path: Path) -> str:
    """Returns path as it stands between quotes, in TOML as in YAML: both know JSON's escapes."""
    return json.dumps(path.as_posix(), ensure_ascii=False)[1:-1]


def kept_environment() -> dict[str, str]:
    """Returns what the demo's programs have of the caller's environment."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


# What programs of some systems do not start without, where Docker's engine is, and by what
# coverage follows children.
_KEPT: Final = (
    *("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG", "DOCKER_HOST"),
    "COVERAGE_PROCESS_CONFIG",
)
