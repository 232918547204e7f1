"""OpenBao as a relying party: it believes tokens of every type of key, by discovery over TLS."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
import trustme

from fakes.programs import OpenBao, environment, finished, free_port, running
from pullpass.config.issuing import KEY_ALGORITHMS

AUDIENCE: Final = "registry.example.com"
ISSUED: Final = {
    f"{kind}-{algorithm.lower()}": (kind, algorithm)
    for kind, algorithms in KEY_ALGORITHMS.items()
    for algorithm in algorithms
}
NAMES: Final = list(ISSUED)
ISSUER: Final = """
[issuers.{name}]
issuer = "https://localhost:{port}/{name}"
signing_key = "{kind}"
[issuers.{name}.roles.pull]
allowed_audiences = ["{audience}"]
subject_template = "registry-pull"
algorithm = "{algorithm}"
"""


class Issuers:
    """An issuer for each type of key and algorithm, behind TLS."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.authority = trustme.CA()
        self.config = directory / "config.toml"
        self.env = environment(PULLPASS_CONFIG=str(self.config))
        self.config.write_text(self._settings(directory))
        for kind in KEY_ALGORITHMS:
            self.pullpass("key", "create", kind)

    def _settings(self, directory: Path) -> str:
        tls = self.authority.issue_cert("localhost")
        tls.cert_chain_pems[0].write_to_path(directory / "tls.pem")
        tls.private_key_pem.write_to_path(directory / "tls.key")
        server = (
            f'state_dir = "{directory}/state"\n[serve.issuer]\nlisten = "127.0.0.1:{self.port}"\n'
            f'certificate = "{directory}/tls.pem"\nprivate_key = "{directory}/tls.key"\n'
        )
        keys = "".join(f'[keys.{kind}]\ntype = "{kind}"\n' for kind in KEY_ALGORITHMS)
        issuers = "".join(
            ISSUER.format(
                name=name,
                port=self.port,
                kind=kind,
                algorithm=algorithm,
                audience=AUDIENCE,
            )
            for name, (kind, algorithm) in ISSUED.items()
        )
        return server + keys + issuers

    def pullpass(self, *arguments: str) -> str:
        done = finished(["pullpass", *arguments], env=self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def token(self, name: str) -> str:
        asked = ("--issuer", name, "--role", "pull", "--audience", AUDIENCE, "--json")
        found: str = json.loads(self.pullpass("mint", *asked))["jwt"]
        return found


@pytest.fixture(scope="module")
def issuers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuers]:
    directory = tmp_path_factory.mktemp("issuers")
    made = Issuers(directory)
    with running(["pullpass", "serve", "issuer"], log=directory / "log", env=made.env) as server:
        server.until(lambda: answers(made.port))
        yield made


def answers(port: int) -> bool:
    try:
        return httpx.get(f"https://localhost:{port}/healthz", verify=False).status_code == 200
    except httpx.TransportError:
        return False


def login(bao: OpenBao, mount: str, token: str) -> httpx.Response:
    return httpx.post(
        f"{bao.origin}/v1/auth/{mount}/login",
        json={"role": "pull", "jwt": token},
        timeout=30,
        trust_env=False,
    )


def trust(bao: OpenBao, issuers: Issuers, name: str, mount: str) -> None:
    """Has bao believe an issuer by its discovery document, for who logs in at mount."""
    issuer = f"https://localhost:{issuers.port}/{name}"
    bao.ask("POST", f"sys/auth/{mount}", {"type": "jwt"})
    ca = issuers.authority.cert_pem.bytes().decode()
    settings = {"oidc_discovery_url": issuer, "bound_issuer": issuer, "oidc_discovery_ca_pem": ca}
    bao.ask("POST", f"auth/{mount}/config", settings)
    role = {
        "role_type": "jwt",
        "user_claim": "sub",
        "bound_audiences": [AUDIENCE],
        "bound_subject": "registry-pull",
    }
    bao.ask("POST", f"auth/{mount}/role/pull", role)


@pytest.mark.parametrize("name", NAMES)
def test_openbao_believes_a_token_of_every_algorithm_by_discovery(
    bao: OpenBao, issuers: Issuers, name: str
) -> None:
    trust(bao, issuers, name, mount=name)
    answer = login(bao, name, issuers.token(name))
    assert answer.status_code == 200, answer.text
    other = next(one for one in NAMES if one != name)
    assert login(bao, name, issuers.token(other)).status_code == 400


def test_openbao_finds_an_issuer_under_its_own_url_alone(bao: OpenBao, issuers: Issuers) -> None:
    with pytest.raises(AssertionError, match="issuer did not match"):
        trust(bao, issuers, f"{NAMES[0]}/", mount="spelled")


def test_openbao_follows_a_rotation(bao: OpenBao, issuers: Issuers) -> None:
    name, mount = "ecdsa-p256-es256", "rotated"
    trust(bao, issuers, name, mount)
    before = issuers.token(name)
    assert login(bao, mount, before).status_code == 200
    issuers.pullpass("key", "rotate", "ecdsa-p256", "--emergency")
    assert login(bao, mount, before).status_code == 200  # what lives verifies
    # The server looks at its keys every second, and a command takes about half of one.
    assert any(login(bao, mount, issuers.token(name)).status_code == 200 for _ in range(20))
