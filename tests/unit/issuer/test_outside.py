"""What whoever asks from another host is told, and how often."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.issuing import Ledger
from fakes.outside import NODES, OTHER, World, assertion
from fakes.settings import REGISTRY, role
from pullpass.claims import read_token
from pullpass.issuer.outside import MAX_CALLERS, REFUSALS_PER_MINUTE, Limit


@pytest.mark.parametrize(
    "proof", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer a.b.c"]
)
def test_who_shows_nothing_is_nobody(proof: str) -> None:
    assert World().refused(proof)[0] == 401


@given(
    st.binary(max_size=40)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["audiences", "subject", "claims", "ttl", "facts", "x"]), inner
            )
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode())
)
@settings(max_examples=200)
def test_whatever_is_asked_it_is_a_token_of_the_role_or_refused(raw: bytes) -> None:
    status, said = World().ask(assertion(), body=raw)
    assert status in {400, 403} or read_token(said["jwt"]).text("sub") == "node:worker-1"


def test_a_caller_who_comes_too_often_waits_and_disturbs_no_other() -> None:
    world = World(
        {
            (*NODES, "mints_per_minute"): 3,
            (*NODES, "roles", "all"): role(subject_template="${node}", mint=[{"node": "*"}]),
        }
    )
    for number in range(3):
        assert world.ask(assertion(role_="all", jti=str(number)), "all")[0] == 200
    shown = assertion(role_="all", jti="3")
    status, told = world.refused(shown, "all")
    assert (status, told.partition(":")[0]) == (429, "mints_per_minute")
    assert world.ask(assertion(OTHER, "all", iss="w2", sub="w2"), "all")[0] == 200
    world.seconds += 20
    assert world.ask(shown, "all")[0] == 200  # what came too soon was not used up


def test_not_more_callers_are_remembered_than_there_is_room_for() -> None:
    limit = Limit(1, lambda: 0.0)
    for number in range(MAX_CALLERS + 10):
        assert limit.takes(str(number))
    assert not limit.takes(str(MAX_CALLERS))
    assert limit.takes("0")  # long forgotten


def test_whoever_is_refused_over_and_over_does_not_fill_the_audit() -> None:
    world = World()
    for _ in range(REFUSALS_PER_MINUTE + 20):
        assert world.ask("Bearer a.b.c")[0] == 401
    assert len(world.ledger.records) == REFUSALS_PER_MINUTE
    assert world.ledger.records[0]["caller"] == {"kind": "unproven"}
    assert world.refused(assertion(OTHER, iss="w2", sub="w2"))[0] == 403


def test_where_no_line_can_be_written_nobody_is_told_why() -> None:
    world = World(ledger=Ledger(room=0))
    for proof in (assertion(), "Bearer a.b.c"):
        status, said = world.ask(proof)
        assert (status, said["error"]) == (503, "temporarily_unavailable")


@pytest.mark.parametrize(
    "facts",
    [
        {"node": "worker-2"},
        {"caller.subject": "a"},
        {"unix.user": "x" * 256},
        {"unix.user": 1},
        {"k8s.namespace": "shop:worker-2"},
        {"k8s.pod": "a/b"},
        {"registry": "a/b"},
    ],
)
def test_no_fact_that_is_stated_stands_for_what_only_a_proof_can_say(facts: dict[str, Any]) -> None:
    status, told = World().refused(assertion(), body={"audiences": [REGISTRY], "facts": facts})
    assert (status, told.partition(":")[0]) == (400, "body")
