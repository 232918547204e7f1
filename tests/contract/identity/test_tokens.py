"""What every source does with the token that its platform gives."""

from pathlib import Path
from typing import Any, Final

import pytest

from fakes.platforms import ALL, NOW, REGISTRY, Platform, token
from fakes.platforms.platform import nobody
from fakes.settings import refusal_of
from pullpass.config.identities import SOURCES
from pullpass.errors import IdentityError

ADVICE: Final = ("check ", "install ", "set ", "write ", "name another")
ANYWHERE: Final = {"exec", "file", "kubernetes"}  # the environment has no say in these
NO_TOKENS: Final = {
    "empty": "",
    "space": " \n",
    "a web page": "<!DOCTYPE html><html><title>Sign in</title></html>",
    "JSON": '{"error": "hunter2"}',
    "two parts": "eyJhIjoxfQ.eyJhIjoxfQ",
    "no base64": "a.b!.c",
    "no claims": "e30.W10.e30",
    "text for time": token(exp="soon"),
    "oversized": token(more="x" * 17_000),
    "two lines": f"{token()}\n{token()}",
    "half": token()[:40],
}


def test_a_token_for_the_registry_is_shown(platform: Platform) -> None:
    found = platform.show()
    assert found.token.reveal() == token()
    assert (found.source, found.expires_at) == (platform.source, NOW + 300)
    assert found.said.text("sub") == "job"
    assert found.token.reveal() not in repr(found)


def test_a_token_for_several_is_shown(platform: Platform) -> None:
    several = token([REGISTRY, "other.example"])
    platform.give(lambda _: several)
    assert platform.show().token.reveal() == several


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"audience": "other.example"}, "is for other.example and registry.example.com is wanted"),
        ({"audience": []}, "is for nobody"),
        ({"audience": [7]}, "aud is neither text nor a list"),
        ({"exp": NOW - 5}, "expired 5s ago"),
        ({"nbf": NOW + 90}, "not valid for another 90s: check the clock"),
    ],
)
def test_a_token_that_nobody_would_take_is_shown_to_nobody(
    platform: Platform, changed: dict[str, Any], says: str
) -> None:
    shown = token(**{"audience": REGISTRY, **changed})
    platform.give(lambda _: shown)
    with pytest.raises(IdentityError) as refused:
        platform.show()
    said = refusal_of(refused.value)
    assert said.startswith("here: ")
    assert says in said


@pytest.mark.parametrize("kind", NO_TOKENS)
def test_what_is_no_token_is_shown_to_nobody_and_quoted_nowhere(
    platform: Platform, kind: str
) -> None:
    platform.give(lambda _: NO_TOKENS[kind])
    with pytest.raises(IdentityError) as refused:
        platform.show()
    said = refusal_of(refused.value)
    assert said.startswith("here: ")
    assert any(word in said for word in ADVICE)
    for part in ("hunter2", "eyJ", "Sign in"):
        assert part not in said


@pytest.mark.parametrize("name", sorted(ALL.keys() - ANYWHERE))
def test_without_its_platform_a_source_says_so(name: str, tmp_path: Path) -> None:
    platform = ALL[name](tmp_path)
    platform.environ.clear()
    platform.endpoint.answer = nobody
    with pytest.raises(IdentityError) as refused:
        platform.show()
    said = refusal_of(refused.value)
    assert said.startswith("here: ")
    assert any(word in said for word in ADVICE)


def test_nothing_that_a_source_was_given_is_in_its_settings(platform: Platform) -> None:
    assert "eyJ" not in repr(platform.identity)


@pytest.mark.parametrize(
    "name", sorted(name for name in ALL if "audience" in SOURCES.get(name, ()))
)
def test_an_audience_that_the_platform_fixes_is_one_where_the_settings_say_so(
    name: str, tmp_path: Path
) -> None:
    platform = ALL[name](tmp_path)
    shown = token("ari:cloud:acme")
    platform.give(lambda _: shown)
    with pytest.raises(IdentityError, match="is for ari:cloud:acme"):
        platform.show()
    platform.told = {**platform.told, "audience": "ari:cloud:acme"}
    assert platform.show().token.reveal() == shown
    platform.give(token)
    with pytest.raises(IdentityError, match=f"is for {REGISTRY} and ari:cloud:acme is wanted"):
        platform.show()


def test_every_source_that_can_be_configured_is_in_this_suite_or_in_one_of_its_own() -> None:
    assert {name.partition(" ")[0] for name in ALL} | {"spiffe", "auto"} == SOURCES.keys()
