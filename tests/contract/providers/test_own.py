"""A registry that nobody has heard of takes one TOML file, and no Python."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

import pytest
import trustme

from fakes.endpoint import answering
from fakes.helper import ISSUER_URL, SUBJECT, Node, Said, node, registry, run_helper
from fakes.issued import issued
from fakes.programs import environment
from fakes.proxy import Asked, certified, proxying
from fakes.vendors import given
from pullpass.claims import read_token
from pullpass.http import Request, Response

REGISTRY: Final = "eu.cr.acme.example"
SESSION: Final = issued("open-sesame")
ACME: Final = """\
audience = "https://sts.acme.example"
addresses = ["{region}.cr.acme.example"]

[[steps]]
id = "session"
url = "https://sts.acme.example/{region}/sessions"
encoding = "form"
fields = { assertion = "{identity}", team = "{team}" }
out = { token = "session.token" }
codes = { unknown_team = "there is no such team: check team" }

[[steps]]
id = "registry"
url = "https://{registry}/login"
encoding = "json"
auth = { bearer = "{session.token}" }
out = { user = "user", password = "password" }

[credential]
username = ["{registry.user}"]
password = ["{registry.password}"]
expires = ["in:ttl"]
"""


class Acme:
    """The service that the file above speaks of."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def send(self, request: Request) -> Response:
        """Answers both of its endpoints."""
        if request.url == "https://sts.acme.example/eu/sessions":
            return self._session(parse_qs(request.body.decode(), strict_parsing=True))
        assert request.url == f"https://{REGISTRY}/login"
        assert (request.body, request.headers["authorization"]) == (b"{}", f"Bearer {SESSION}")
        return _json(200, {"user": "puller", "password": given(), "ttl": 900})

    def _session(self, fields: dict[str, list[str]]) -> Response:
        assert fields.keys() == {"assertion", "team"}
        self.shown += fields["assertion"]
        if fields["team"] != ["blue"]:
            return _json(422, {"error": "unknown_team", "message": "hunter2"})
        return _json(200, {"session": {"token": SESSION}})


def _json(status: int, value: object) -> Response:
    return Response(status=status, body=json.dumps(value).encode())


class Host:
    """A node with the file, and the way to Acme."""

    def __init__(self, node: Node, acme: Acme, proxy: str, bundle: Path) -> None:
        self.node, self.acme = node, acme
        self._variables = {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(bundle)}

    def provider(self, text: str, name: str = "acme") -> Path:
        """Writes a provider's file."""
        path = self.node.directory / "providers.d" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def get(self) -> Said:
        """Asks docker-credential-pullpass for the registry's credential."""
        env = environment(PULLPASS_CONFIG=str(self.node.config), **self._variables)
        return run_helper("get", stdin=REGISTRY.encode(), env=env)


def written(team: str) -> str:
    return registry(REGISTRY, f'parameters = {{ team = "{team}" }}', provider="acme")


@pytest.fixture(params=["blue"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    authority, acme = trustme.CA(), Acme()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    made = node(tmp_path / "node", written(request.param))
    tls = certified(authority, "sts.acme.example", REGISTRY)
    with answering(acme.send, tls) as origin:
        port = int(origin.rpartition(":")[2])
        routes = {"sts.acme.example:443": port, f"{REGISTRY}:443": port}
        with proxying(Asked(routes=routes)) as asked:
            yield Host(made, acme, asked.origin, bundle)


def test_a_file_is_all_that_a_registry_takes(host: Host) -> None:
    host.provider(ACME)
    said = host.get()
    assert (said.status, said.stderr) == (0, "")
    assert json.loads(said.stdout) == {
        "ServerURL": REGISTRY,
        "Username": "puller",
        "Secret": given(),
    }
    (token,) = host.acme.shown
    claims = read_token(token).claims
    shown = {name: claims[name] for name in ("iss", "sub", "aud")}
    assert shown == {"iss": ISSUER_URL, "sub": SUBJECT, "aud": "https://sts.acme.example"}


@pytest.mark.parametrize("host", ["red"], indirect=True)
def test_its_own_refusals_are_told_in_its_own_words(host: Host) -> None:
    host.provider(ACME)
    said = host.get()
    assert said.status == 1
    assert (
        f"registry {REGISTRY}: step session at https://sts.acme.example answered 422 (unknown_team)"
        ": there is no such team: check team"
    ) in said.stdout
    assert "hunter2" not in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("line", "instead", "key", "words"),
    [
        ('id = "session"', 'id = "session"\nretries = 3', "steps[0].retries", "not a setting"),
        ('"{identity}"', '"{registry.user}"', "steps[0].fields.assertion", "no output of a step"),
        ('"https://sts.', '"http://sts.', "steps[0].url", "starts with https://"),
        ("https://sts.", "https://{team}.", "steps[0].url", "may not name a host"),
        ('["in:ttl"]', '["soon"]', "credential.expires", "an expiry is one of"),
    ],
)
def test_what_a_file_may_not_say_is_told_with_its_key_and_its_name(
    *, host: Host, line: str, instead: str, key: str, words: str
) -> None:
    # The audience, above the steps, stays as it is.
    head, _, rest = ACME.partition("[[steps]]")
    path = host.provider(f"{head}[[steps]]{rest.replace(line, instead, 1)}")
    said = host.get()
    assert said.status == 1
    assert f"providers.acme.{key}: " in said.stdout
    assert words in said.stdout
    assert f" (in {path})" in said.stdout
    assert host.acme.shown == []


def test_the_name_of_a_provider_that_is_there_is_not_given_twice(host: Host) -> None:
    path = host.provider(ACME, name="jfrog")
    host.node.config.write_text(host.node.config.read_text().replace('"acme"', '"jfrog"'))
    assert f"{path}: jfrog comes with pullpass: give yours another name" in host.get().stdout


def test_without_its_file_a_provider_is_none(host: Host) -> None:
    assert "acme is no provider: use acr, buildkite" in host.get().stdout
