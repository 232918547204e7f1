"""The action on a runner whose GitHub, Docker Hub and JFrog are played under their own names."""

import json
import runpy
import sys
import time
import tomllib
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import trustme
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from fakes.endpoint import answering
from fakes.fastpath import told
from fakes.github import ISSUER, SERVICE, SUBJECT, DockerHub, Runner, Tokens
from fakes.helper import Said, run_helper
from fakes.jfrog import JFrog
from fakes.programs import environment
from fakes.proxy import Asked, certified, proxying
from fakes.wheels import needs, wheels
from pullpass.http import Request, Response

ACTION: Final = Path(__file__).parents[2] / "packaging" / "github-action"
HUB, JFROG = "docker.io", "acme.jfrog.io"
HUB_URL: Final = "https://index.docker.io/v1/"  # what docker asks a helper for
CONNECTION: Final = "77537984-f27a-45c5-9b4c-f20b3f88817e"
OF_HUB: Final = {
    "registry": HUB,
    "provider": "dockerhub",
    "parameters": f"connection_id={CONNECTION}\norganization=acme\n",
}
OF_JFROG: Final = {
    "registry": JFROG,
    "provider": "jfrog",
    "parameters": "provider_name=github",
}


@dataclass(slots=True)
class Internet:
    """All hosts that a job with both registries speaks to, by their names."""

    tokens: Tokens
    hub: DockerHub
    jfrog: JFrog

    def send(self, request: Request) -> Response:
        """Returns the answer of the host that request names."""
        host, path = urlsplit(request.url).netloc, urlsplit(request.url).path
        hosts: dict[str, Callable[[Request], Response]] = {
            SERVICE: self.tokens.send,
            "identity.docker.com": self.hub.send,
            "registry-1.docker.io": lambda asked: door(asked, f"acme:{self.hub.secret}"),
            JFROG: lambda asked: (
                door(asked, "puller:") if path == "/v2/" else self.jfrog.send(asked)
            ),
        }
        return hosts[host](request)


def door(request: Request, pair: str) -> Response:
    """Answers as a registry that takes a user and what begins as its password."""
    shown = request.headers.get("Authorization", "")
    wanted = b64encode(pair.encode()).decode().rstrip("=")[:-1]
    if shown.startswith(f"Basic {wanted}"):
        return Response(status=200)
    return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="registry"'})


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def internet() -> Internet:
    tokens = Tokens(time.time())
    jfrog = JFrog(provider_name="github", issuer=ISSUER, subject=SUBJECT, lifetime=3600)
    return Internet(tokens=tokens, hub=DockerHub(tokens, CONNECTION), jfrog=jfrog)


@pytest.fixture
def runner(internet: Internet, authority: trustme.CA, tmp_path: Path) -> Iterator[Runner]:
    names = (SERVICE, "identity.docker.com", "registry-1.docker.io", JFROG)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    with answering(internet.send, certified(authority, *names)) as origin:
        port = int(origin.rpartition(":")[2])
        with proxying(Asked(routes={f"{name}:443": port for name in names})) as proxy:
            variables = {
                **environment(GITHUB_ACTIONS="true", HTTPS_PROXY=proxy.origin),
                "SSL_CERT_FILE": str(ca),
                **internet.tokens.variables,
            }
            yield Runner(directory=tmp_path, variables=variables)


def asked(runner: Runner, server_url: str) -> dict[str, Any]:
    said: Said = run_helper("get", stdin=server_url.encode(), env=runner.environment())
    assert said.status == 0, said.stdout
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def helpers(runner: Runner) -> dict[str, str]:
    found: dict[str, str] = json.loads(docker_config(runner).read_text())["credHelpers"]
    return found


def docker_config(runner: Runner) -> Path:
    return runner.directory / ".docker" / "config.json"


def test_docker_is_given_credentials_of_both_registries(runner: Runner, internet: Internet) -> None:
    for inputs in (OF_HUB, OF_JFROG):
        done = runner.uses(ACTION, **inputs)
        assert done.returncode == 0, done.stdout + done.stderr

    assert asked(runner, HUB_URL)["Username"] == "acme"
    assert asked(runner, HUB_URL)["Secret"] == internet.hub.secret
    assert asked(runner, JFROG)["Username"] == "puller"
    assert internet.tokens.given.keys() == {"https://identity.docker.com", JFROG}
    assert helpers(runner) == dict.fromkeys([HUB, HUB_URL, JFROG], "pullpass")


def test_nothing_that_was_issued_rests_on_the_runner(runner: Runner, internet: Internet) -> None:
    runner.uses(ACTION, **OF_HUB)
    secret = asked(runner, HUB_URL)["Secret"]

    files = [path for path in runner.directory.rglob("*") if path.is_file()]
    assert len(files) > 5
    tokens = [secret, *internet.tokens.given.values(), internet.tokens.bearer]
    assert [path for path in files for one in tokens if one.encode() in path.read_bytes()] == []


def test_a_job_that_may_not_ask_for_its_identity_is_told_what_to_write(runner: Runner) -> None:
    del runner.variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]

    done = runner.uses(ACTION, **OF_HUB)

    assert done.returncode == 77
    assert "id-token: write" in done.stdout


def test_the_chain_is_not_walked_where_that_is_not_wanted(
    runner: Runner, internet: Internet
) -> None:
    assert runner.uses(ACTION, **OF_HUB, check="false").returncode == 0
    assert internet.tokens.given == {}


@pytest.mark.parametrize(
    "given",
    [
        OF_HUB | {"parameters": "connection_id"},
        OF_HUB | {"parameters": "connection_id=1\nconnection_id=2"},
        OF_HUB | {"registry": "https://docker.io/"},
        OF_HUB | {"exchange": "http://identity.docker.com"},
    ],
)
def test_a_wrong_input_changes_nothing_for_later_steps(
    runner: Runner, given: dict[str, str]
) -> None:
    done = runner.uses(ACTION, **given)

    assert done.returncode != 0
    assert done.stderr
    assert "PULLPASS_CONFIG" not in runner.variables
    assert not docker_config(runner).exists()


def test_a_wrong_input_leaves_the_registries_of_earlier_steps(
    runner: Runner, internet: Internet
) -> None:
    runner.uses(ACTION, **OF_HUB, check="false")

    twice = {"parameters": "provider_name=github\nprovider_name=github"}
    assert runner.uses(ACTION, **(OF_JFROG | twice)).returncode == 78
    assert asked(runner, HUB_URL)["Secret"] == internet.hub.secret
    assert runner.uses(ACTION, **OF_JFROG).returncode == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"provider": "dockerhubb"}, "dockerhubb is no provider: use acr,"),
        ({"parameters": "connection=1"}, "parameters.connection: unknown; dockerhub knows"),
        ({"parameters": "organization=acme"}, "parameters.connection_id: is missing"),
    ],
)
def test_an_input_that_the_provider_does_not_take_is_told(
    runner: Runner, changes: dict[str, str], message: str
) -> None:
    done = runner.uses(ACTION, **(OF_HUB | changes))

    assert done.returncode == 78
    assert message in done.stdout


@pytest.mark.parametrize("name", ["registry", "provider", "parameters", "exchange", "check"])
def test_no_input_is_run(runner: Runner, name: str) -> None:
    planted = runner.directory / "planted"
    code = f"\"; touch {planted}; $(touch {planted}) `touch {planted}` '\n--help"

    runner.uses(ACTION, **(OF_HUB | {name: OF_HUB.get(name, "") + code}))

    assert not planted.exists()


def test_all_is_taken_back(runner: Runner) -> None:
    docker_config(runner).parent.mkdir()
    docker_config(runner).write_text('{"auths": {}}')
    for inputs in (OF_HUB, OF_JFROG):
        runner.uses(ACTION, **inputs)

    done = runner.uses(ACTION / "cleanup")

    assert done.returncode == 0, done.stderr
    assert docker_config(runner).read_text() == '{"auths": {}}'
    assert not (runner.directory / "temp" / "pullpass").exists()
    assert runner.variables["PULLPASS_CONFIG"] == ""
    assert runner.uses(ACTION / "cleanup").returncode == 0


def test_pullpass_is_installed_where_it_is_not_there_yet(
    runner: Runner, internet: Internet, tmp_path: Path
) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    found = wheels(
        [Requirement("hatchling"), *needs(distribution("pullpass"))], tmp_path / "wheels"
    )
    runner.variables |= {
        "PATH": f"{bare}:/usr/bin:/bin",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(found),
    }

    done = runner.uses(ACTION, **OF_HUB)

    assert done.returncode == 0, done.stdout + done.stderr
    program = tmp_path / "temp" / "pullpass" / "venv" / "bin" / "docker-credential-pullpass"
    said = told([str(program), "get"], stdin=HUB_URL.encode(), env=runner.environment())
    assert json.loads(said.stdout)["Secret"] == internet.hub.secret


def test_the_example_uses_the_action_with_inputs_that_it_has() -> None:
    example = yaml.safe_load((ACTION / "example.yml").read_text())
    inputs = yaml.safe_load((ACTION / "action.yml").read_text())["inputs"]
    used = [
        step for step in example["jobs"]["build"]["steps"] if "pullpass" in step.get("uses", "")
    ]
    assert example["permissions"]["id-token"] == "write"
    assert [step["with"]["registry"] for step in used if "with" in step] == [HUB, JFROG]
    assert all(step.get("with", {}).keys() <= inputs.keys() for step in used)
    named = {step["uses"].partition("/packaging/")[2].partition("@")[0] for step in used}
    assert {(ACTION.parent / name / "action.yml").exists() for name in named} == {True}


LINE = st.text().map(lambda text: " ".join(text.split()))


@given(LINE.filter(bool), LINE, st.dictionaries(LINE.filter(lambda n: n and "=" not in n), LINE))
def test_any_input_is_text_of_the_settings(
    registry: str, provider: str, parameters: dict[str, str]
) -> None:
    entry = runpy.run_path(str(ACTION / "configure.py"))["entry"]
    lines = "\n".join(f"{name}={value}" for name, value in parameters.items())
    given = {"INPUT_PROVIDER": provider, "INPUT_PARAMETERS": lines}

    read = tomllib.loads(entry(registry, given))

    assert read == {
        "registry": {
            registry: {
                "provider": provider,
                "parameters": parameters,
                "credential": [{"identity": "github-actions"}],
            }
        }
    }
