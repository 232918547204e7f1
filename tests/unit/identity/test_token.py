from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.jfrog import unsigned
from fakes.settings import REGISTRY, refusal_of
from pullpass.errors import IdentityError, PullpassError
from pullpass.identity.token import SubjectToken, checked, read_jwt

NOW: Final = 1_800_000_000


def shown(**claims: Any) -> SubjectToken:
    token = unsigned({"sub": "job", "aud": REGISTRY, "exp": NOW + 300, **claims})
    return checked(read_jwt(token, "gitlab"), REGISTRY, NOW)


def test_a_token_says_who_it_is_and_prints_nothing() -> None:
    found = shown()
    assert (found.source, found.expires_at, found.said.text("sub")) == ("gitlab", NOW + 300, "job")
    assert found.token.reveal() not in repr(found)
    assert "job" not in repr(found)


@pytest.mark.parametrize(
    "audience", [REGISTRY, [REGISTRY], ["other.example", REGISTRY], [REGISTRY, ""]]
)
def test_the_audience_may_be_one_of_several(audience: Any) -> None:
    assert shown(aud=audience).said.claims["aud"] == audience


@pytest.mark.parametrize(
    ("audience", "named"),
    [
        ("other.example", "other.example"),
        (["a", "b"], "a, b"),
        ([], "nobody"),
        (f"{REGISTRY}:443", f"{REGISTRY}:443"),
        (REGISTRY.upper(), REGISTRY.upper()),
        ([[REGISTRY]], "neither text nor a list"),
        (None, "neither text nor a list"),
        ({REGISTRY: 1}, "neither text nor a list"),
    ],
)
def test_a_token_for_others_is_refused(audience: Any, named: str) -> None:
    with pytest.raises(PullpassError) as refused:
        shown(aud=audience)
    assert named in refusal_of(refused.value)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": NOW}, "expired 0s ago"),
        (
            {"exp": NOW - 90},
            "expired 90s ago: let the platform give a new one, and check the clock",
        ),
        ({"nbf": NOW + 31}, "not valid for another 31s: check the clock"),
        ({"iat": NOW + 600}, "not valid for another 600s"),
    ],
)
def test_a_token_out_of_its_time_points_at_the_clock(claims: dict[str, int], said: str) -> None:
    with pytest.raises(IdentityError) as refused:
        shown(**claims)
    assert said in refusal_of(refused.value)


@pytest.mark.parametrize("claims", [{"nbf": NOW + 30}, {"iat": NOW + 5}, {"exp": NOW + 1}])
def test_two_clocks_may_differ_a_little(claims: dict[str, int]) -> None:
    assert shown(**claims).said.claims.items() >= claims.items()


@given(st.text())
def test_any_text_is_a_token_or_our_error(text: str) -> None:
    try:
        checked(read_jwt(text, "env"), REGISTRY, NOW)
    except PullpassError as error:
        assert refusal_of(error)
