"""The installed programs show the same identity whether an agent is alive or not."""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from fakes.agent import Agent, agent_settings, started
from fakes.endpoint import answering
from fakes.helper import ISSUER, ROLE, Node, node, run_helper
from fakes.issued import issued
from fakes.platforms import token
from fakes.programs import environment
from pullpass.agent.protocol import Status
from pullpass.claims import read_token
from pullpass.http import Request, Response

CI, HOST, OWN = "ci.example", "host.example", "own.example"
BEARER: Final = issued("request-token-of-a-job")


def entry(registry: str, identity: str) -> str:
    return f"""
[registry."{registry}"]
provider = "passthrough"
[[registry."{registry}".credential]]
{identity}
"""


def fresh(audience: str, subject: str) -> str:
    now = int(time.time())
    return token(audience, sub=subject, iat=now, exp=now + 300)


@pytest.fixture
def host() -> Iterator[Node]:
    """A host with an identity of a job, one of a file and one of its own issuer."""
    with tempfile.TemporaryDirectory(prefix="id-") as directory:
        path = Path(directory) / "pullpass"
        made = node(
            path,
            f'[identities.host]\nsource = "file"\npath = "{path}/token"\n',
            entry(CI, 'identity = "github-actions"'),
            entry(HOST, 'identity = "host"'),
            entry(OWN, f'issuer = "{ISSUER}"\nrole = "{ROLE}"'),
        )
        (path / "token").write_text(fresh(HOST, "host"))
        agent_settings(made)
        yield made


@pytest.fixture
def job() -> Iterator[Mapping[str, str]]:
    """The variables of a job at GitHub."""

    def send(request: Request) -> Response:
        assert request.headers["authorization"] == f"Bearer {BEARER}"
        audience = request.url.rpartition("audience=")[2]
        return Response(status=200, body=json.dumps({"value": fresh(audience, "job")}).encode())

    with answering(send) as origin:
        yield {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{origin}/idtoken?v=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
        }


def subject(host: Node, registry: str, job: Mapping[str, str], agent: str) -> str:
    """Returns the subject of what docker is given for registry."""
    known = {"XDG_CONFIG_HOME": str(host.directory.parent), "PULLPASS_AGENT": agent}
    said = run_helper("get", stdin=registry.encode(), env=environment(**known, **job))
    assert said.status == 0, said.stderr
    return read_token(json.loads(said.stdout)["Secret"]).text("sub")


@pytest.fixture
def agent(host: Node) -> Iterator[Agent]:
    with started(host) as made:
        yield made


def test_the_same_identity_is_shown_with_an_agent_and_without(
    host: Node, job: Mapping[str, str], agent: Agent
) -> None:
    for registry, shown in ((CI, "job"), (HOST, "host"), (OWN, "registry-pull")):
        for path in (str(agent.path), "/nowhere"):
            assert subject(host, registry, job, path) == shown


def test_the_agent_leaves_to_a_job_what_is_the_jobs(agent: Agent) -> None:
    assert agent.get(CI).status is Status.SELF
    assert agent.get(HOST).status is Status.OK
    (record,) = agent.records("get")
    assert (record["registry"], record["jti"]) == (HOST, "")


def test_a_job_that_may_not_ask_reads_in_docker_what_to_write(
    host: Node, job: Mapping[str, str]
) -> None:
    known = environment(XDG_CONFIG_HOME=str(host.directory.parent), **job)
    del known["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    said = run_helper("get", stdin=CI.encode(), env=known)
    assert said.status == 1
    assert said.stdout.startswith(f"registry {CI}: no identity: github-actions: the job may not")
    assert "«id-token: write» under «permissions:»" in said.stdout
