"""A whole deployment of real programs on loopback: issuer, token server, registry, and a node.

The node's settings and the token server's are files of their own, as on two hosts.
"""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Final
from urllib.parse import urlsplit

from fakes.programs import (
    Process,
    Tls,
    TokenAuth,
    ask_helper,
    client_home,
    docker_registry,
    environment,
    finished,
    free_port,
    listens,
    running,
    skopeo,
)

PULL, PUSH, STRANGER = "docker-pull", "publisher", "stranger"
BY_NAMESPACE: Final = "by-namespace"
BY_NODE: Final = "by-node"  # which hosts ask for that hold no signing key
SUBJECTS: Final = {
    PULL: "registry-pull",
    PUSH: "ci-main",
    STRANGER: "nobody-we-know",
    BY_NAMESPACE: "${k8s.namespace}",
    BY_NODE: "node:${node}",
}
ELSEWHERE: Final = "elsewhere"  # a connection for another registry, which trusts the same issuer
ELSEWHERE_REGISTRY: Final = "registry.elsewhere.test"
RULESETS: Final = [
    {
        "label": "nodes",
        "subject": [SUBJECTS[PULL]],
        "resources": ["repository:team/*"],
        "actions": ["pull"],
        "username": "puller",
    },
    {
        "label": "edges",
        "subject": ["node:edge-17"],
        "resources": ["repository:team/*"],
        "actions": ["pull"],
    },
    {
        "label": "ci",
        "subject": ["ci-*"],
        "resources": ["repository:team/*"],
        "actions": ["pull", "push"],
    },
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Addresses are ``host:port``, URLs have no closing slash.

    Attributes:
        directory: all settings, keys and logs.
        tls: what all servers show; None where they speak http.
        ca: the file of authorities that the programs trust, None for the host's own.
        servers: what runs, by name.
    """

    directory: Path
    registry: str
    issuer: str
    token_server: str
    tls: Tls | None
    ca: Path | None
    servers: dict[str, Process] = field(default_factory=dict)

    @property
    def node(self) -> Path:
        """Returns the configuration of a host that pulls."""
        return self.directory / "node.toml"

    def settings(self, name: str = "node", **changes: object) -> Path:
        """Writes a node's configuration with these changes of its registry's table.

        ``role`` and ``issuer`` go to the credential entry, ``nodes`` are whom the issuer enrolls,
        everything else goes to the registry.
        """
        nodes = changes.pop("nodes", {})
        entry = {"issuer": "nodes", "role": PULL} | {
            key: changes.pop(key) for key in ("role", "issuer") if key in changes
        }
        registry = {
            "provider": "jfrog",
            "exchange": self.token_server,
            "insecure": self.tls is None,
            "parameters": {"provider_name": "strongbox"},
            "credential": [entry],
        } | changes
        settings = {
            "state_dir": str(self.directory / "node"),
            "keys": {"identity": {}},
            # The other issuer has the same key: what it signs is wrong in its iss alone.
            "issuers": {
                "nodes": {**self._issuer(self.issuer), "nodes": nodes},
                "other": self._issuer(f"{self.issuer}-other"),
            },
            "serve": {"issuer": _listen(self.issuer, self.tls)},
            "registry": {self.registry: registry},
        }
        return write_settings(self.directory / f"{name}.toml", settings)

    def environment(self, config: Path | None = None) -> dict[str, str]:
        """Returns what a client on the node has in its environment."""
        trust = {"SSL_CERT_FILE": str(self.ca)} if self.ca else {}
        return {"PULLPASS_CONFIG": str(config or self.node), **trust}

    def pullpass(self, *arguments: str, config: Path | None = None) -> str:
        """Runs ``pullpass`` on the node and returns what it prints."""
        done = finished(["pullpass", *arguments], env=environment(**self.environment(config)))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def home(self, directory: Path) -> Path:
        """Makes a home whose clients ask the helper for the registry, and returns it."""
        home = client_home(directory, insecure=self.tls is None)
        ask_helper(home, self.registry)
        return home

    def publish(self, image: Path, name: str = "team/app:v1") -> str:
        """Pushes the OCI layout image as name from a fresh home, and returns its reference."""
        home = self.home(Path(mkdtemp(prefix="publisher-", dir=self.directory)) / "home")
        reference = f"{self.registry}/{name}"
        publisher = self.environment(self.settings("publisher", role=PUSH))
        done = skopeo(home, "copy", f"oci:{image}", f"docker://{reference}", **publisher)
        assert done.returncode == 0, done.stderr
        return reference

    def revoke(self) -> None:
        """Replaces the token server's exchange key: what it gave out so far is worth nothing."""
        servers = self.directory / "token-server.toml"
        (self.directory / "token-server" / "keys" / "exchange.json").unlink()
        self.pullpass("key", "create", "exchange", config=servers)

    def trust(self, *, active: bool) -> None:
        """Switches the node's connection at the token server, which takes it over soon after."""
        _token_settings(self, active=active)
        self.servers["token-server"].popen.send_signal(signal.SIGHUP)

    def refusals(self) -> list[str]:
        """Returns why the token server said no, the latest last."""
        lines = (self.directory / "token-server.log").read_text().splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{")]
        return [record["reason"] for record in records if record.get("decision") == "deny"]

    def _issuer(self, url: str) -> dict[str, object]:
        roles: dict[str, dict[str, object]] = {
            role: {"allowed_audiences": [self.registry], "subject_template": subject}
            for role, subject in SUBJECTS.items()
        }
        roles[BY_NODE]["mint"] = [{"node": "edge-*"}]
        return {
            "issuer": url,
            "insecure": self.tls is None,
            "signing_key": "identity",
            "roles": roles,
        }


@contextmanager
def deployed(
    directory: Path, *, tls: Tls | None = None, ca: Path | None = None
) -> Iterator[Deployment]:
    """Runs a deployment; with tls, everything speaks https as 127.0.0.1 and trusts ca."""
    scheme = "https" if tls else "http"
    issuer, tokens, registry = free_port(), free_port(), free_port()
    directory.mkdir(parents=True, exist_ok=True)
    made = Deployment(
        directory=directory,
        registry=f"127.0.0.1:{registry}",
        issuer=f"{scheme}://127.0.0.1:{issuer}/t/6f1c/jwt/nodes",
        token_server=f"{scheme}://127.0.0.1:{tokens}",
        tls=tls,
        ca=ca,
    )
    auth = _make_keys(made)
    with ExitStack() as stack:
        stack.enter_context(_serving("issuer", made, made.node, issuer))
        stack.enter_context(_serving("token-server", made, _token_settings(made), tokens))
        stack.enter_context(
            docker_registry(directory / "registry", auth=auth, tls=tls, port=registry)
        )
        yield made


def _token_settings(made: Deployment, *, active: bool = True) -> Path:
    insecure = made.tls is None
    service = {
        "issuer": made.token_server,
        "insecure": insecure,
        "signing_key": "registry-token",
        "exchange_key": "exchange",
    }
    connection = {"issuer": made.issuer, "insecure": insecure, "rulesets": RULESETS}
    settings = {
        "state_dir": str(made.directory / "token-server"),
        "keys": {"registry-token": {}, "exchange": {}},
        "serve": {"token-server": _listen(made.token_server, made.tls)},
        "services": {made.registry: service, ELSEWHERE_REGISTRY: service},
        "connections": {
            "strongbox": {**connection, "audiences": [made.registry], "active": active},
            ELSEWHERE: {**connection, "audiences": [ELSEWHERE_REGISTRY]},
        },
    }
    return write_settings(made.directory / "token-server.toml", settings)


def _listen(url: str, tls: Tls | None) -> dict[str, str]:
    files = {"certificate": str(tls.certificate), "private_key": str(tls.key)} if tls else {}
    return {"listen": f"127.0.0.1:{urlsplit(url).port}", **files}


def _make_keys(made: Deployment) -> TokenAuth:
    """Creates the keys of both hosts and returns what the registry is to trust."""
    made.pullpass("key", "create", "identity", config=made.settings())
    servers = _token_settings(made)
    for name in ("registry-token", "exchange"):
        made.pullpass("key", "create", name, config=servers)
    bundle = made.directory / "registry-token.pem"
    bundle.write_text(made.pullpass("key", "certificate", "registry-token", config=servers))
    return TokenAuth(
        realm=f"{made.token_server}/token",
        service=made.registry,
        issuer=made.token_server,
        rootcertbundle=bundle,
    )


@contextmanager
def _serving(name: str, made: Deployment, config: Path, port: int) -> Iterator[None]:
    env = environment(**made.environment(config))
    log = made.directory / f"{name}.log"
    with running(["pullpass", "serve", name], log=log, env=env) as process:
        process.until(lambda: listens(port))
        made.servers[name] = process
        yield


def write_settings(path: Path, settings: Mapping[str, object]) -> Path:
    """Writes settings as TOML, and returns where."""
    lines = [f"{name} = {_toml(value)}\n" for name, value in settings.items()]
    path.write_text("".join(lines))
    return path


def _toml(value: object) -> str:
    """Returns value in TOML, whose texts, numbers and flags are written as in JSON."""
    if isinstance(value, Mapping):
        members = [f"{json.dumps(name)} = {_toml(member)}" for name, member in value.items()]
        return f"{{ {', '.join(members)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
