import json
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.key_files import KeyFiles
from fakes.platforms import NOW, REGISTRY, Endpoint, Platform, Token, token
from fakes.platforms.platform import is_asked
from fakes.platforms.web import NO, says
from fakes.settings import changed, refusal_of
from pullpass.claims import read_token
from pullpass.config.parse import parse
from pullpass.errors import ConfigError, IdentityError
from pullpass.http import Request, Response, run
from pullpass.identity.catalog import depends, fetch
from pullpass.identity.edge import LocalEdge

ISSUER: Final = "https://id.example.com/fleet"
URL: Final = f"{ISSUER}/roles/pull/mint"
TOLD: Final = {"issuer": ISSUER, "role": "pull"}
KEY: Final = {"node": "edge-17", "key": "/nowhere/node.json"}


def answer(request: Request, gives: Token) -> Response:
    if not is_asked(request, "POST", URL):
        return NO
    (audience,) = json.loads(request.body)["audiences"]
    return says({"jwt": gives(audience), "expires_in": 300})


@pytest.fixture
def node(tmp_path: Path) -> Platform:
    """A node with its key, and the issuer that it asks."""
    KeyFiles(directory=tmp_path / "keys").create("node")
    told = {**TOLD, "node": "edge-17", "key": str(tmp_path / "keys" / "node.json")}
    return Platform(source="remote", told=told, endpoint=Endpoint(answer=answer))


def refused(platform: Platform) -> str:
    with pytest.raises(IdentityError) as error:
        platform.show()
    return refusal_of(error.value)


def shown(request: Request) -> dict[str, Any]:
    """Returns the claims of what a request shows."""
    return dict(read_token(request.headers["authorization"].removeprefix("Bearer ")).claims)


def test_each_request_shows_another_assertion_for_the_role_alone(node: Platform) -> None:
    for _ in range(3):
        node.show()
    claims = [shown(request) for request in node.endpoint.seen]
    assert len({one.pop("jti") for one in claims}) == 3
    expected = {"iss": "edge-17", "sub": "edge-17", "aud": URL, "iat": NOW, "exp": NOW + 30}
    assert claims == [expected] * 3


def test_an_issuer_that_cannot_serve_is_asked_once_more_with_another_assertion(
    node: Platform,
) -> None:
    node.endpoint.instead = Response(status=503)
    assert "503, so it cannot serve now" in refused(node)
    assert len({shown(request)["jti"] for request in node.endpoint.seen}) == 2


def test_a_node_whose_key_cannot_be_had_asks_nobody(node: Platform) -> None:
    Path(node.told["key"]).chmod(0o644)
    assert "is open to others" in refused(node)
    assert node.endpoint.seen == []


def test_facts_are_stated_only_where_the_settings_say_so(node: Platform) -> None:
    facts = {"unix.user": "alice", "k8s.pod": "web-1", "registry": REGISTRY}
    cases: list[tuple[list[str], dict[str, str]]] = [
        ([], {}),
        (["unix.user", "k8s.namespace"], {"unix.user": "alice"}),
    ]
    for named, stated in cases:
        node.told = {**node.told, "facts": named}
        run(fetch(node.identity, REGISTRY, {}, lambda: float(NOW), facts), LocalEdge(node.endpoint))
        assert json.loads(node.endpoint.seen[-1].body).get("facts", {}) == stated


@pytest.mark.parametrize(
    ("ahead", "says"), [(40, "40s ahead of the issuer's: set it"), (-40, "40s behind the issuer's")]
)
def test_a_wrong_clock_is_told_from_a_key_that_is_not_enrolled(
    node: Platform, ahead: int, says: str
) -> None:
    date = formatdate(NOW - ahead, usegmt=True)
    node.endpoint.instead = Response(status=401, headers={"date": date})
    assert says in refused(node)
    node.endpoint.instead = Response(status=401, headers={"date": formatdate(NOW, usegmt=True)})
    assert "enroll the key that `pullpass node-key show` prints" in refused(node)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (403, "its role does not allow this: look at mint, facts and allowed_audiences there"),
        (404, "it has no such role for other hosts"),
        (405, "it has no such role for other hosts"),
        (429, "this host asks too often: raise mints_per_minute there"),
    ],
)
def test_a_refusal_says_what_to_do_at_the_issuer(node: Platform, status: int, says: str) -> None:
    node.endpoint.instead = Response(status=status)
    assert says in refused(node)


def test_a_host_may_show_another_identity_instead_of_a_key() -> None:
    given = token(ISSUER)
    platform = Platform(
        source="remote",
        told={**TOLD, "bearer": "gitlab"},
        environ={"GITLAB_CI": "true", "PULLPASS_ID_TOKEN": given},
        endpoint=Endpoint(answer=answer),
    )
    assert platform.show().token.reveal() == token()
    assert platform.endpoint.seen[0].headers["authorization"] == f"Bearer {given}"
    platform.environ["PULLPASS_ID_TOKEN"] = token("https://other.example")
    assert f"is for https://other.example and {ISSUER} is wanted" in refused(platform)
    platform.environ = {}
    assert "gitlab: this is no job of GitLab CI" in refused(platform)


def test_the_agent_answers_for_its_node_and_leaves_a_job_to_itself(node: Platform) -> None:
    assert not depends(node.identity)
    for bearer, expected in (("gitlab", True), ("gcp", False)):
        platform = Platform(source="remote", told={**TOLD, "bearer": bearer})
        assert depends(platform.identity) is expected


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"issuer": "http://id.example.com"}, "identities.central.issuer"),
        ({"bearer": "floppy"}, "identities.central.bearer"),
        ({"bearer": "other"}, "identities.central.bearer"),
        ({"bearer": "gitlab", "token_file": "/x"}, "identities.central"),
        ({}, "identities.central"),
        ({"key": "/x"}, "identities.central.node"),
        ({**KEY, "facts": ["node"]}, "identities.central.facts"),
        ({**KEY, "role": 7}, "identities.central.role"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_dotted_name(
    changes: dict[str, Any], key: str
) -> None:
    tables = {"central": {"source": "remote", **TOLD, **changes}}
    tables["other"] = {"source": "remote", **TOLD, **KEY}
    with pytest.raises(ConfigError) as error:
        parse(changed((("identities",), tables)), Path("/nowhere"))
    assert error.value.key == key
    assert refusal_of(error.value)
