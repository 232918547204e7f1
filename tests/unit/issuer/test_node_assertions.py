"""What an enrolled node shows, and whom it is taken for."""

from typing import Any

import pytest

from fakes.outside import KEY, NODES, NOW, OTHER, World, assertion, endpoint
from fakes.settings import ISSUER, REGISTRY, role
from pullpass.claims import read_token
from pullpass.identity.sources.remote import ASSERTION_TTL
from pullpass.issuer.caller import MAX_ASSERTION
from pullpass.relying import verify
from pullpass.secret import Secret


def test_an_enrolled_node_mints_as_itself() -> None:
    world = World()
    status, said = world.ask(assertion())
    assert (status, said["expires_in"]) == (200, 300)
    claims = verify(Secret(said["jwt"]), world.key.active.public)
    assert (claims["sub"], claims["aud"], claims["iss"]) == ("node:worker-1", REGISTRY, ISSUER)
    record = world.ledger.records[-1]
    assert (record["decision"], record["caller"]) == (
        "allow",
        {"kind": "node", "node": "worker-1"},
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": "worker-2"}, "its iss and sub are not worker-1"),
        ({"iss": "worker-2"}, "its iss and sub are not worker-1"),
        ({"iss": None, "sub": None}, "its iss and sub are not worker-1"),
        ({"aud": REGISTRY}, "its aud is not exactly"),
        ({"aud": ISSUER}, "its aud is not exactly"),
        ({"aud": endpoint("ci")}, "its aud is not exactly"),
        ({"aud": [endpoint("node"), REGISTRY]}, "its aud is not exactly"),
        ({"aud": None}, "its aud is not exactly"),
        ({"exp": None}, "it has no exp"),
        ({"iat": None}, "it has no exp and iat"),
        ({"exp": NOW}, "it expired 0s ago by this clock: compare the clocks"),
        ({"exp": NOW - 61}, "it expired"),
        ({"exp": NOW + MAX_ASSERTION + 1}, "it is good for 60s at most"),
        ({"iat": NOW + 61}, "ahead of this clock"),
        ({"nbf": NOW + 61}, "ahead of this clock"),
        ({"iat": NOW - 1}, "it is older than this server"),
        ({"jti": None}, "it has no jti"),
        ({"jti": ""}, "it has no jti"),
        ({"jti": "x" * 201}, "it has no jti"),
        ({"kid": "unknown"}, "of no enrolled node's key, and of no trusted issuer"),
    ],
)
def test_an_assertion_is_a_node_s_own_for_this_issuer_and_short(
    changes: dict[str, Any], reason: str
) -> None:
    status, told = World().refused(assertion(**changes))
    assert status == 401
    assert told.startswith("caller: ")
    assert reason in told


def test_a_node_cannot_sign_for_another() -> None:
    world = World()
    status, told = world.refused(assertion(OTHER, kid=KEY.public.thumbprint()))
    assert (status, "does not verify" in told) == (401, True)
    status, told = world.refused(assertion(OTHER))
    assert (status, "not w2, as its key is enrolled" in told) == (401, True)


def test_an_assertion_is_shown_once() -> None:
    world = World()
    assert world.ask(assertion())[0] == 200
    status, told = world.refused(assertion())
    assert (status, "it was shown before" in told) == (401, True)
    assert world.ask(assertion(jti="two"))[0] == 200


def test_a_node_that_a_role_does_not_name_may_not() -> None:
    status, told = World().refused(assertion(OTHER, iss="w2", sub="w2"))
    assert (status, told) == (403, "mint: role node: node:w2 may not mint: add it to its mint")
    status, told = World().refused(assertion(role_="ci"), "ci")
    assert (status, told.partition(":")[0]) == (403, "mint")


def test_a_server_that_began_anew_takes_nothing_that_was_shown_before_it() -> None:
    world = World()
    shown = assertion()
    assert world.ask(shown)[0] == 200
    world.now += 2
    world.restart()
    status, told = world.refused(shown)
    assert (status, "it is older than this server" in told) == (401, True)
    assert world.ask(assertion(jti="two", iat=NOW + 2, exp=NOW + 32))[0] == 200


@pytest.mark.parametrize(("skew", "status"), [(-29, 200), (29, 200), (-31, 401), (31, 401)])
def test_clocks_may_differ_by_less_than_half_a_minute(skew: int, status: int) -> None:
    world = World()
    world.now += 100  # it has been there for a while
    at = NOW + 100 + skew
    assert world.ask(assertion(iat=at, exp=at + ASSERTION_TTL))[0] == status


def test_what_a_node_says_of_others_is_believed_where_its_selector_says_so() -> None:
    template = "${node}:${k8s.namespace}"
    mint = [{"node": "worker-*", "facts": ["k8s.namespace"]}, {"node": "w2"}]
    world = World({(*NODES, "roles", "pods"): role(subject_template=template, mint=mint)})
    body = {"audiences": [REGISTRY], "facts": {"k8s.namespace": "shop"}}
    status, said = world.ask(assertion(role_="pods"), "pods", body)
    assert status == 200, said
    assert read_token(said["jwt"]).text("sub") == "worker-1:shop"

    status, told = world.refused(assertion(OTHER, "pods", iss="w2", sub="w2"), "pods", body)
    assert (status, told.partition(":")[0]) == (403, "facts")
    more = {**body, "facts": {"k8s.namespace": "shop", "unix.user": "root"}}
    status, told = world.refused(assertion(role_="pods", jti="2"), "pods", more)
    assert (status, "node:worker-1 is not believed k8s.namespace, unix.user" in told) == (403, True)
