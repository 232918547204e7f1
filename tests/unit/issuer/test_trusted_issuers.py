"""Whom the tokens of a trusted issuer let mint."""

from typing import Any

import pytest

from fakes.outside import NOW, PLATFORM, World
from fakes.settings import ISSUER, REGISTRY
from fakes.token_server import identity
from pullpass.claims import read_token


def test_a_subject_of_a_trusted_issuer_mints_what_its_role_says() -> None:
    world = World()
    token = identity(world.platform, NOW, sub="repo:acme/app", aud=ISSUER).reveal()
    status, said = world.ask(f"Bearer {token}", "ci")
    assert status == 200, said
    assert read_token(said["jwt"]).text("sub") == "ci:repo:acme/app"
    spiffe = identity(world.platform, NOW, sub="spiffe://td/a", aud=ISSUER).reveal()
    status, said = world.ask(f"Bearer {spiffe}", "spiffe")
    assert read_token(said["jwt"]).text("sub") == "spiffe://td/a"
    status, told = world.refused(f"Bearer {token}", "spiffe")
    assert (status, told.partition(":")[0]) == (403, "subject_template")


def test_a_service_account_of_kubernetes_tells_its_namespace_and_its_name() -> None:
    world = World()

    def asked(subject: str) -> tuple[int, Any]:
        token = identity(world.platform, NOW, sub=subject, aud=ISSUER).reveal()
        return world.ask(f"Bearer {token}", "account")

    status, said = asked("system:serviceaccount:team-a:puller.v2")
    assert status == 200, said
    assert read_token(said["jwt"]).text("sub") == "team-a/puller.v2"
    assert asked("system:serviceaccount:team-a:a:b")[0] == 403
    assert asked("system:serviceaccount:team-a:a/b")[0] == 403


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": "repo:evil/app"}, "is none of the subjects of ci"),
        ({"aud": REGISTRY}, "its aud is"),
        ({"now": NOW - 4000}, "it expired"),
    ],
)
def test_a_trusted_issuer_s_token_is_judged_like_any_other(
    changes: dict[str, Any], reason: str
) -> None:
    world = World()
    asked: dict[str, Any] = {"sub": "repo:acme/app", "aud": ISSUER, "now": NOW} | changes
    token = identity(world.platform, **asked)
    status, told = world.refused(f"Bearer {token.reveal()}", "ci")
    assert status == 401
    assert reason in told


def test_where_a_trusted_issuer_cannot_be_had_nothing_is_minted() -> None:
    world = World()
    token = identity(world.platform, NOW, sub="repo:acme/app", aud=ISSUER).reveal()
    world.platform.up = False
    status, said = world.ask(f"Bearer {token}", "ci")
    assert (status, said["error"]) == (503, "temporarily_unavailable")
    assert "the issuer's log says why" in said["error_description"]


def test_the_audit_tells_who_showed_a_token() -> None:
    world = World()
    token = identity(world.platform, NOW, sub="repo:acme/app", aud=ISSUER).reveal()
    world.ask(f"Bearer {token}", "ci")
    told = {"kind": "token", "iss": PLATFORM, "sub": "repo:acme/app"}
    facts = {"caller": "ci", "caller.subject": "repo:acme/app"}
    assert world.ledger.records[-1]["caller"] == told | facts
