"""One host mints for all: a node without a signing key pulls from a real registry."""

import json
import shutil
import signal
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fakes.deployment import BY_NODE, Deployment, deployed, write_settings
from fakes.key_files import KeyFiles
from fakes.programs import Finished, environment, finished, skopeo
from pullpass.claims import read_token
from pullpass.http import run
from pullpass.jose import sign
from pullpass.secret import Secret
from pullpass.transport import HttpTransport
from pullpass.verifier.discovery import KeySet, fetch_keys
from pullpass.verifier.verify import Trust, verify

EDGE: Final = "edge-17"
Enrolment = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A node that asks the central issuer."""

    name: str
    site: Deployment

    @property
    def state(self) -> Path:
        return self.site.directory / f"state of {self.name}"

    @property
    def key(self) -> Path:
        return self.state / "keys" / "node.json"

    @property
    def url(self) -> str:
        return f"{self.site.issuer}/roles/{BY_NODE}/mint"

    def configure(self) -> Path:
        identity = {
            "source": "remote",
            "issuer": self.site.issuer,
            "role": BY_NODE,
            "node": self.name,
            "key": str(self.key),
        }
        registry = {
            "provider": "jfrog",
            "exchange": self.site.token_server,
            "insecure": True,
            "parameters": {"provider_name": "strongbox"},
            "credential": [{"identity": "central"}],
        }
        settings = {
            "state_dir": str(self.state),
            "keys": {"node": {}},
            "identities": {"central": identity},
            "registry": {self.site.registry: registry},
        }
        return write_settings(self.site.directory / f"{self.name}.toml", settings)

    def pullpass(self, *arguments: str) -> Finished:
        config = self.configure()
        return finished(["pullpass", *arguments], env=environment(PULLPASS_CONFIG=str(config)))

    def enrolment(self, command: str = "show") -> Enrolment:
        """Returns what `pullpass node-key` prints for the issuer's settings."""
        done = self.pullpass("node-key", command, "node", "--node", self.name)
        assert done.returncode == 0, done.stderr
        found: Enrolment = tomllib.loads(done.stdout)["issuers"]["ISSUER"]["nodes"]
        return found

    def get(self) -> Finished:
        return self.pullpass("get", f"{self.site.registry}/team/app:v1")

    def assertion(self, skew: int = 0) -> dict[str, str]:
        """Returns the header by which the node proves itself, by a clock that is wrong by skew."""
        version = KeyFiles(directory=self.key.parent).load("node").active
        now = int(time.time()) + skew
        claims = {"iss": self.name, "sub": self.name, "aud": self.url, "jti": str(time.time_ns())}
        token = sign({**claims, "iat": now, "exp": now + 30}, version.local, kid=version.kid)
        return {"Authorization": f"Bearer {token.reveal()}"}

    def ask(self, shown: Mapping[str, str], body: bytes = b"") -> httpx.Response:
        asked = body or json.dumps({"audiences": [self.site.registry], "ttl": 120}).encode()
        return httpx.post(self.url, headers=shown, content=asked, trust_env=False, timeout=30)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment whose issuer is a host of its own."""
    with deployed(tmp_path_factory.mktemp("central")) as made:
        yield made


@pytest.fixture(scope="module")
def edge(site: Deployment) -> Edge:
    """A node that is enrolled."""
    made = Edge(name=EDGE, site=site)
    enroll(site, made.enrolment("create"))
    return made


def enroll(site: Deployment, nodes: Enrolment) -> None:
    """Makes these the nodes that the issuer knows, and waits until it knows no others."""
    site.settings(nodes=nodes)
    server = site.servers["issuer"]
    before = server.children
    server.popen.send_signal(signal.SIGHUP)
    server.until(lambda: server.children.isdisjoint(before) and is_there(site))


def is_there(site: Deployment) -> bool:
    try:
        return httpx.get(f"{site.issuer}/jwks", trust_env=False, timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def published(site: Deployment) -> KeySet:
    """Returns the keys that a relying party finds."""
    with HttpTransport() as transport:
        return run(fetch_keys(site.issuer), transport)


def test_a_node_without_a_signing_key_pulls(
    site: Deployment, edge: Edge, image: Path, digest: str, tmp_path: Path
) -> None:
    reference = site.publish(image)
    home = site.home(tmp_path / "home")
    variables = {"PULLPASS_CONFIG": str(edge.configure())}

    done = skopeo(home, "inspect", "--format", "{{.Digest}}", f"docker://{reference}", **variables)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == digest
    kept = [path for path in edge.state.rglob("*") if path.is_file()]
    assert kept == [edge.key]
    lines = (site.directory / "node" / "audit.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines if EDGE in line]
    assert {(one["sub"], one["decision"]) for one in told} == {(f"node:{EDGE}", "allow")}
    assert told[0]["caller"] == {"kind": "node", "node": EDGE}
    assert f'"sub": "node:{EDGE}"' in site.servers["token-server"].printed()


def test_an_assertion_is_good_once_and_with_a_right_clock(edge: Edge) -> None:
    shown = edge.assertion()
    good = edge.ask(shown).json()
    assert good["expires_in"] == 120
    assert read_token(good["jwt"]).text("sub") == f"node:{EDGE}"
    again = edge.ask(shown)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert "it was shown before" in again.json()["error_description"]
    for skew in (-90, 90):
        wrong = edge.ask(edge.assertion(skew))
        assert wrong.status_code == 401
        assert wrong.json()["error_description"].endswith("compare the clocks")


def test_a_body_that_is_too_long_is_refused(edge: Edge) -> None:
    assert edge.ask(edge.assertion(), b"x" * 20_000).status_code == 413


def test_a_stolen_key_mints_as_no_other_node(site: Deployment, edge: Edge) -> None:
    other = Edge(name="edge-18", site=site)
    enroll(site, {**edge.enrolment(), **other.enrolment("create")})
    shutil.copy(edge.key, other.key)

    done = other.get()

    assert done.returncode == 77
    assert "it does not believe this host: enroll the key" in done.stderr
    assert edge.get().returncode == 0


def test_a_node_that_was_taken_out_is_refused_and_the_last_one_too(
    site: Deployment, edge: Edge
) -> None:
    enroll(site, {})
    done = edge.get()
    enroll(site, edge.enrolment())
    assert done.returncode == 77
    assert "it does not believe this host: enroll the key" in done.stderr
    assert edge.get().returncode == 0


def test_a_node_that_is_cut_off_signs_under_the_one_jwks(site: Deployment, edge: Edge) -> None:
    far = Edge(name="edge-19", site=site)
    (enrolled,) = far.enrolment("create").values()
    enroll(site, {**edge.enrolment(), far.name: {**enrolled, "offline": True}})
    role = {"allowed_audiences": [site.registry], "subject_template": f"node:{far.name}"}
    issuer = {"issuer": site.issuer, "insecure": True, "signing_key": "node", "roles": {"r": role}}
    settings = {"state_dir": str(far.state), "keys": {"node": {}}, "issuers": {"own": issuer}}
    config = write_settings(site.directory / "far.toml", settings)

    asked = ["mint", "--issuer", "own", "--role", "r", "--audience", site.registry]
    token = site.pullpass(*asked, config=config).strip()

    trust = Trust(issuer=site.issuer, audiences=[site.registry], algorithms=["ES256"])
    keys = published(site)
    assert verify(Secret(token), trust, keys, time.time()).subject == f"node:{far.name}"
    enroll(site, edge.enrolment())
    assert len(published(site)) == len(keys) - 1  # taken out, it signs for nobody any more


def test_the_whole_chain_of_such_a_node_is_checked(site: Deployment, edge: Edge) -> None:
    told = edge.pullpass("check", f"{site.registry}/team/app").stdout
    assert f"node:{EDGE}" in told
    assert "which grants repository:team/app:pull" in told
