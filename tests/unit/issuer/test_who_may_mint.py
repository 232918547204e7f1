"""What the settings say of who may mint from another host."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.outside import KEY, NODES, PLATFORM, World, enrolled
from fakes.settings import ISSUER, changed, refusal_of, role
from pullpass.config.parse import parse
from pullpass.errors import ConfigError
from pullpass.issuer.caller import node_keys
from pullpass.issuer.documents import jwks_document
from pullpass.jose import generate_key, sign
from pullpass.relying import read_jwk, verify


def test_a_role_that_names_users_of_this_host_alone_is_nowhere_to_be_found() -> None:
    world = World({(*NODES, "roles", "own"): role(mint=[{"uid": 0}])})
    assert world.outside.find(("id.example.com", "/t/6f1c/jwt/nodes/roles/own/mint")) is None


def test_a_role_that_names_nobody_is_nowhere_to_be_found() -> None:
    place = ("id.example.com", "/t/6f1c/jwt/nodes/roles/docker-pull/mint")
    assert World().outside.find(place) is None


def test_a_node_that_mints_while_cut_off_has_its_key_in_the_jwks() -> None:
    own = generate_key()
    nodes = {"site": {"keys": [enrolled(own)], "offline": True}, "w": {"keys": [enrolled(KEY)]}}
    world = World({(*NODES, "nodes"): nodes, (*NODES, "roles", "node"): role()})
    issuer = world.config.issuers["nodes"]
    body = jwks_document(issuer, world.key, world.config.keys["identity"]).body
    shown = {jwk["kid"]: read_jwk(jwk) for jwk in json.loads(body)["keys"]}
    assert shown.keys() == {world.key.active.kid, own.public.thumbprint()}
    found = shown[own.public.thumbprint()]
    assert found
    assert verify(sign({"sub": "a"}, own, kid="x"), found) == {"sub": "a"}


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ({"a": {"keys": [{"kty": "EC"}]}}, "a.keys: holds what is no public JWK"),
        ({"a": {"keys": [{**enrolled(KEY), "d": "AQ"}]}}, "a.keys: holds what is no public JWK"),
        (
            {"a": {"keys": [enrolled(KEY)]}, "b": {"keys": [enrolled(KEY)]}},
            "b.keys: holds a key of",
        ),
        (
            {"a": {"keys": [enrolled(KEY)], "offline": True}},
            "a.keys: holds a key that does not sign",
        ),
    ],
)
def test_a_key_that_cannot_be_enrolled_is_refused(nodes: Any, reason: str) -> None:
    values = changed(((*NODES, "nodes"), nodes))
    issuer = parse(values, Path("/nowhere")).issuers["nodes"]
    with pytest.raises(ConfigError) as refused:
        node_keys(issuer)
    assert reason in refusal_of(refused.value)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({("nodes",): {"a": {"keys": []}}}, "nodes.a.keys"),
        ({("nodes",): {"a b": {"keys": [enrolled(KEY)]}}}, 'nodes."a b"'),
        ({("nodes",): {"a:b": {"keys": [enrolled(KEY)]}}}, 'nodes."a:b"'),
        ({("nodes",): {"a/b": {"keys": [enrolled(KEY)]}}}, 'nodes."a/b"'),
        ({("nodes",): {"a": {"keys": [{"x": 1}]}}}, "nodes.a.keys[0]"),
        ({("nodes",): {"a": {"keys": [enrolled(KEY)] * 6}}}, "nodes.a.keys"),
        ({("callers",): {"a": {"issuer": PLATFORM, "subjects": []}}}, "callers.a.subjects"),
        (
            {("callers",): {"a": {"issuer": "http://ci.example.com", "subjects": ["a"]}}},
            "callers.a.issuer",
        ),
        ({("roles", "r"): role(mint=[{}])}, "roles.r.mint"),
        ({("roles", "r"): role(mint=[{"uid": 0, "node": "a"}])}, "roles.r.mint[0].node"),
        ({("roles", "r"): role(mint=[{"uid": -1}])}, "roles.r.mint[0].uid"),
        (
            {("roles", "r"): role(mint=[{"node": "a", "facts": ["node"]}])},
            "roles.r.mint[0].facts",
        ),
        ({("callers",): {"a": {"issuer": ISSUER, "subjects": ["*"]}}}, "callers.a.issuer"),
        (  # an entry of this host's own names that role
            {
                ("nodes",): {"a": {"keys": [enrolled(KEY)]}},
                ("roles", "docker-pull"): role(subject_template="${node}", mint=[{"node": "a"}]),
            },
            "roles.docker-pull.mint",
        ),
        ({("roles", "r"): role(mint=[{"node": "a", "caller": "b"}])}, "roles.r.mint"),
        ({("roles", "r"): role(mint=[{"caller": "lost"}])}, "roles.r.mint"),
        (
            {
                ("nodes",): {"a": {"keys": [enrolled(KEY)]}},
                ("roles", "r"): role(mint=[{"node": "a"}]),
            },
            "roles.r.subject_template",  # without ${node} a stolen node could pass for any other
        ),
        (
            {("nodes",): {f"n{n}": {"keys": [enrolled(KEY)], "offline": True} for n in range(96)}},
            "nodes",
        ),
    ],
)
def test_who_may_mint_is_said_without_a_gap(changes: Any, key: str) -> None:
    values = changed(*(((*NODES, *path), value) for path, value in changes.items()))
    with pytest.raises(ConfigError) as refused:
        parse(values, Path("/nowhere"))
    assert refused.value.key == f"issuers.nodes.{key}"
