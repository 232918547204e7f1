"""A node without a signing key: it proves itself to the issuer elsewhere, and pulls as itself."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakes.programs import environment, finished, free_port, running

CENTRAL = """
state_dir = "{directory}/central"
[keys.signing]
[serve.issuer]
listen = "127.0.0.1:{port}"
[issuers.fleet]
issuer = "http://127.0.0.1:{port}/fleet"
insecure = true
signing_key = "signing"
[issuers.fleet.roles.pull]
allowed_audiences = ["registry.example.com"]
subject_template = "node:${{node}}"
mint = [{{ node = "worker-*" }}]
{enrolment}
"""
NODE = """
state_dir = "{directory}/node"
[keys.node]
type = "ed25519"
[identities.fleet]
source = "remote"
issuer = "http://127.0.0.1:{port}/fleet"
role = "pull"
node = "{name}"
key = "{directory}/node/keys/node.json"
[registry."registry.example.com"]
provider = "passthrough"
[[registry."registry.example.com".credential]]
identity = "fleet"
"""


class Fleet:
    """A central issuer and a node, each with settings of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.node("worker-1")
        enrolment = self.pullpass("node", "node-key", "create", "node", "--node", "worker-1")
        self.write("central", CENTRAL, enrolment=enrolment.replace("ISSUER", "fleet"))
        self.pullpass("central", "key", "create", "signing")

    def node(self, name: str) -> None:
        """Lets the node call itself by another name."""
        self.write("node", NODE, name=name)

    def write(self, who: str, settings: str, **values: str) -> None:
        text = settings.format(directory=self.directory, port=self.port, **values)
        (self.directory / f"{who}.toml").write_text(text)

    def env(self, who: str) -> dict[str, str]:
        return environment(PULLPASS_CONFIG=str(self.directory / f"{who}.toml"))

    def pullpass(self, who: str, *arguments: str) -> str:
        done = finished(["pullpass", *arguments], env=self.env(who))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self) -> tuple[int, str, str]:
        asked = ["pullpass", "get", "registry.example.com/team/app", "--json"]
        done = finished(asked, env=self.env("node"))
        return done.returncode, done.stdout, done.stderr

    def alive(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def audit(self) -> list[dict[str, Any]]:
        lines = (self.directory / "central" / "audit.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def test_a_node_pulls_as_itself_and_as_no_other(fleet: Fleet, tmp_path: Path) -> None:
    serve = ["pullpass", "serve", "issuer"]
    with running(serve, log=tmp_path / "log", env=fleet.env("central")) as server:
        server.until(fleet.alive)
        status, out, err = fleet.get()
        assert (status, err) == (0, "")
        assert json.loads(out)["subject"] == "node:worker-1"
        assert fleet.audit()[-1]["caller"] == {"kind": "node", "node": "worker-1"}

        fleet.node("worker-2")  # a thief of the key says that it is another node
        status, out, err = fleet.get()
        assert (status, out) == (77, "")
        assert "answers 401: it does not believe this host" in err
        denied = fleet.audit()[-1]
        assert (denied["decision"], denied["constraint"]) == ("deny", "caller")
        assert "its iss and sub are not worker-1" in denied["reason"]
    kept = [path.name for path in (tmp_path / "node").rglob("*") if path.is_file()]
    assert kept == ["node.json"]  # the node holds its own key and no token
    assert not re.search("PRIVATE", (tmp_path / "central.toml").read_text())
