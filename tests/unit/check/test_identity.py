"""What the identity says, before anybody is shown it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.chain import ISSUER, NOW, REGISTRY, Chain
from fakes.jfrog import unsigned
from fakes.walking import assert_broken, entry, levels, role, walked
from pullpass.check import identity
from pullpass.check.finding import Level, Seen, finding
from pullpass.claims import UnverifiedToken, read_token
from pullpass.errors import TokenRefused
from pullpass.exchange.catalog import load
from pullpass.identity.token import SubjectToken
from pullpass.secret import Secret

GOOD = {
    "iss": ISSUER,
    "sub": "registry-pull",
    "aud": REGISTRY,
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 300,
}


def token(**changes: Any) -> UnverifiedToken:
    """Returns a token of which these claims are changed, and those that are None left out."""
    claims = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return read_token(unsigned(claims))


def described(**changes: Any) -> str:
    shown = SubjectToken(token=Secret("t"), source="env", said=token(**changes))
    return identity.describe(shown, NOW)


def test_who_is_shown_for_whom_and_how_long_is_told() -> None:
    who = f"iss={ISSUER} sub=registry-pull aud={REGISTRY}"
    assert described() == f"env gives {who}, ES256, lives 300s"


def test_several_audiences_are_told() -> None:
    assert f"aud=sts,{REGISTRY}," in described(aud=["sts", REGISTRY])


def test_what_is_left_of_an_older_token_is_told() -> None:
    told = described(iat=NOW - 3000, nbf=NOW - 3000, exp=NOW + 600)
    assert told.endswith("lives 3600s, of which 600s are left")


def test_what_a_token_does_not_say_is_told_too() -> None:
    told = described(sub=None, iat=None, nbf=None, exp=None)
    assert told.endswith(f"sub=none aud={REGISTRY}, ES256, lives for ever")


def test_an_identity_that_is_no_jwt_is_shown_and_not_judged() -> None:
    chain = Chain()
    chain.settings["identities"] = {"ours": {"source": "env", "variable": "T", "jwt": False}}
    entry(chain).update(provider="passthrough", parameters={"username": "puller"})
    entry(chain)["credential"] = [{"identity": "ours"}]
    found = walked(chain, expected={"sub": "a"}, environ={"T": "eyJ-opaque"})
    assert "gives what is no JWT: nothing can be read of it" in found["identity"].saw
    assert {link for link, one in found.items() if one.level is Level.NOT_TRIED} == {
        "trust",
        "claims",
        "issuer",
    }
    assert found["registry"].level is Level.OK


def test_a_token_that_lives_longer_than_the_provider_takes_is_refused() -> None:
    spec = load("buildkite")
    buildkite = "https://agent.buildkite.com"
    assert identity.judge(token(iss=buildkite), spec).level is Level.OK
    with pytest.raises(TokenRefused, match="it lives 301s, not at most 300s: ask for a shorter"):
        identity.judge(token(iss=buildkite, exp=NOW + 301), spec)


@pytest.mark.parametrize("provider", ["quay", "acr"])
def test_an_algorithm_that_the_provider_refuses_is_told_before_it_is_tried(provider: str) -> None:
    given = {"quay": {"robot": "acme+puller"}, "acr": {"tenant": "t", "client_id": "c"}}
    chain = Chain()
    entry(chain).update(provider=provider, parameters=given[provider])
    role(chain).update(allowed_audiences=["**"])
    found = walked(chain)
    assert found["trust"].level is Level.ERROR
    assert found["trust"].exit_status == 77
    assert (
        f"{provider} takes no such token: its signature is ES256, not RS256" in found["trust"].saw
    )
    assert found["exchange"].level is Level.ERROR


def test_docker_hub_takes_githubs_identities_alone() -> None:
    chain = Chain()
    given = {"connection_id": "77537984-f27a-45c5-9b4c-f20b3f88817e", "organization": "acme"}
    entry(chain).update(provider="dockerhub", parameters=given)
    role(chain).update(allowed_audiences=["**"])
    saw = walked(chain)["trust"].saw
    assert (
        f"its issuer is {ISSUER}, not https://token.actions.githubusercontent.com: name an" in saw
    )


def test_a_tokens_header_cannot_write_to_the_terminal() -> None:
    said = UnverifiedToken(header={"alg": "\x1b[31mES256", "kid": "\x1b[2J"}, claims=GOOD)
    shown = SubjectToken(token=Secret("t"), source="file", said=said)
    seen = Seen(Level.OK, identity.describe(shown, NOW), "\n\x1b[2J")
    assert "\x1b" in seen.saw
    found = finding(REGISTRY, "identity", seen)
    assert found.saw.isprintable()
    assert found.advice.isprintable()


def test_claims_of_a_rule_stand_beside_those_of_the_token() -> None:
    found = walked(Chain(), expected={"sub": "registry-*", "aud": REGISTRY})
    assert levels(found) == {}
    assert found["claims"].saw == f"sub=registry-pull aud={REGISTRY}, as expected"


def test_a_claim_that_a_rule_wants_otherwise_is_an_error() -> None:
    found = walked(Chain(), expected={"sub": "repo:acme/*", "groups": "pullers"})
    saw = [
        "sub is registry-pull where repo:acme/* is expected; groups is none where pullers is",
        "change the rule there, or the identity here",
    ]
    assert_broken(found, "claims", saw, 77, [])


@pytest.mark.parametrize("wanted", ["b", "*", "?"])
def test_a_list_fits_a_rule_by_any_of_its_members(wanted: str) -> None:
    assert identity.compare(token(groups=["a", "b"]), {"groups": wanted})


def test_whatever_a_rule_may_be_about_is_told_and_what_none_is_about_is_not() -> None:
    told = identity.every_claim(token(repository="acme/app", jti="x", groups=["a", "b"]))
    assert told == f"iss={ISSUER} sub=registry-pull aud={REGISTRY} groups=a,b repository=acme/app"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["iss", "sub", "aud", "groups"]) | st.text(), JSON))
def test_any_claims_are_told_in_one_printable_line(claims: dict[str, Any]) -> None:
    held = UnverifiedToken(header={}, claims=claims)
    assert identity.every_claim(held).isprintable()
    try:
        seen = identity.compare(held, dict.fromkeys(claims, "**"))
    except TokenRefused as error:
        assert str(error).isprintable()
    else:
        assert seen.level is Level.OK
