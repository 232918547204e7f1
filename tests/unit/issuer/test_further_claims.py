"""What a role says beside the claims of every token, and what it lets a caller say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.settings import REGISTRY, changed, refusal_of, role
from pullpass.config.issuers import RESERVED
from pullpass.config.parse import parse
from pullpass.errors import ConfigError, MintDenied
from pullpass.issuer.claim import MAX_ITEMS, MAX_TEXT
from pullpass.issuer.role import MintRequest, draft

TENANT: Final = "0b3f2d9e-7c1a-4f43-9a37-2f8c1d9f6c11"
ROLES: Final = ("issuers", "nodes", "roles", "ci")


def drafted(asked: Mapping[str, Any], facts: Mapping[str, str], **settings: Any) -> dict[str, Any]:
    """Returns what a token of the role ci with these settings says."""
    usual = role()
    if "allowed_subject_patterns" in settings and "subject_template" not in settings:
        del usual["subject_template"]
    values = changed((ROLES, usual | settings), (("tenant",), {"id": TENANT}))
    issuer = parse(values, Path("/nowhere")).issuers["nodes"]
    request = MintRequest(**{"audiences": (REGISTRY,), "facts": facts, **asked})
    return draft(issuer, issuer.roles["ci"], request, now=0, token_id="one")


def denial(asked: Mapping[str, Any], **settings: Any) -> tuple[str, str]:
    """Returns the constraint that says no, and what it says."""
    with pytest.raises(MintDenied) as denied:
        drafted(asked, {}, **settings)
    return denied.value.constraint, refusal_of(denied.value)


def refusal(**settings: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        drafted({}, {}, **settings)
    return refusal_of(refused.value)


BY_CALLER: Final = {"allowed_subject_patterns": ["repo:acme/*", "robot"]}


def test_fixed_claims_are_in_every_token_with_their_variables_filled_in() -> None:
    fixed = {
        "env": "prod",
        "at": "${node}.${tenant}",
        "level": 3,
        "ci": True,
        "groups": ["${node}"],
    }
    claims = drafted({}, {"node": "w1"}, fixed_claims=fixed)
    assert {name: claims[name] for name in fixed} == {
        "env": "prod",
        "at": f"w1.{TENANT}",
        "level": 3,
        "ci": True,
        "groups": ["w1"],
    }


@pytest.mark.parametrize("template", ["${node}", "${", "a ${node", "${No}"])
def test_a_fixed_claim_without_its_variable_makes_no_token(template: str) -> None:
    constraint, text = denial({}, fixed_claims={"at": template})
    assert constraint == "fixed_claims.at"
    assert "fixed_claims.at" in text


def test_the_tenant_is_a_variable_of_subjects_too() -> None:
    claims = drafted({}, {}, subject_template="${tenant}/nodes")
    assert claims["sub"] == f"{TENANT}/nodes"


@pytest.mark.parametrize("name", sorted(RESERVED))
@pytest.mark.parametrize("setting", ["fixed_claims", "allowed_claims"])
def test_what_the_issuer_says_itself_nobody_else_says(name: str, setting: str) -> None:
    value = "x" if setting == "fixed_claims" else {"type": "string"}
    assert f"{setting}.{name}: is a claim that the issuer says by itself" in refusal(
        **{setting: {name: value}}
    )
    assert denial({"claims": {name: "x"}}, allowed_claims={"ref": {"type": "string"}})[0] == (
        "allowed_claims"
    )


ALLOWED: Final = {
    "ref": {"type": "string", "values": ["main", "release-*"]},
    "scopes": {"type": "string-array", "values": ["read:*"]},
    "run": {"type": "integer"},
    "attempt": {"type": "integer", "values": ["1", "2"]},
    "protected": {"type": "boolean", "values": ["true"]},
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ref", "main"),
        ("ref", "release-1.2"),
        ("scopes", ["read:a", "read:b"]),
        ("scopes", []),
        ("run", 123),
        ("run", -(2**53) + 1),
        ("attempt", 2),
        ("protected", True),
    ],
)
def test_a_caller_says_what_is_allowed(name: str, value: object) -> None:
    assert drafted({"claims": {name: value}}, {}, allowed_claims=ALLOWED)[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ref", "dev"),
        ("ref", "Main"),
        ("ref", "main\n"),
        ("ref", ""),
        ("ref", ["main"]),
        ("ref", 1),
        ("ref", None),
        ("ref", True),
        ("ref", "release-" + "x" * MAX_TEXT),
        ("scopes", "read:a"),
        ("scopes", ["read:a", "write:a"]),
        ("scopes", ["read:a", 1]),
        ("scopes", ["read:a"] * (MAX_ITEMS + 1)),
        ("run", "123"),
        ("run", 1.0),
        ("run", True),
        ("run", 2**53),
        ("attempt", 3),
        ("protected", False),
        ("protected", "true"),
        ("protected", 1),
        ("unknown", "x"),
    ],
)
def test_a_caller_says_nothing_else(name: str, value: object) -> None:
    constraint, text = denial({"claims": {name: value}}, allowed_claims=ALLOWED)
    assert constraint == "allowed_claims"
    assert name in text


@given(
    st.dictionaries(
        st.sampled_from([*ALLOWED, "sub", "iss", "exp"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_whatever_a_caller_says_it_is_allowed_or_denied(claims: dict[str, Any]) -> None:
    try:
        made = drafted({"claims": claims}, {}, allowed_claims=ALLOWED)
    except MintDenied:
        return
    assert claims.keys() <= ALLOWED.keys()
    assert (made["sub"], made["exp"]) == ("registry-pull", 300)


def test_a_required_claim_is_said_or_there_is_no_token() -> None:
    settings = {"allowed_claims": ALLOWED, "required_claims": ["ref"]}
    assert denial({}, **settings) == (
        "required_claims",
        "role ci: claim ref is required: say it",
    )
    assert drafted({"claims": {"ref": "main"}}, {}, **settings)["ref"] == "main"
    assert drafted({}, {}, fixed_claims={"ref": "x"}, required_claims=["ref"])["ref"] == "x"


def test_a_caller_names_the_subject_where_the_role_has_patterns_for_it() -> None:
    for subject in ("repo:acme/app", "robot"):
        assert drafted({"subject": subject}, {}, **BY_CALLER)["sub"] == subject


@pytest.mark.parametrize("subject", ["", "repo:evil/app", "Robot", "robot2", "repo:acme/a b", "é"])
def test_another_subject_is_denied(subject: str) -> None:
    constraint, text = denial({"subject": subject}, **BY_CALLER)
    assert constraint == "allowed_subject_patterns"
    assert f"subject {subject or 'none'} is not allowed" in text


def test_where_a_template_says_the_subject_the_caller_does_not() -> None:
    assert denial({"subject": "registry-pull"})[0] == "subject_template"


def test_a_token_is_for_nobody_only_where_the_role_says_so() -> None:
    assert denial({"audiences": ()})[0] == "require_audience"
    claims = drafted({"audiences": ()}, {}, require_audience=False)
    assert "aud" not in claims
    assert drafted({}, {}, require_audience=False)["aud"] == REGISTRY


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"allowed_subject_patterns": ["a"], "subject_template": "a"}, "exclude each other"),
        ({"subject_template": "a\x1bb"}, "subject_template: holds what is not a printable ASCII"),
        ({"subject_template": "a\nb"}, "subject_template: holds what is not a printable ASCII"),
        ({"subject_template": "é"}, "subject_template: holds what is not a printable ASCII"),
        ({"required_claims": ["ref"]}, "required_claims: holds ref, which no token can say"),
        ({"fixed_claims": {"ref": 1.5}}, "fixed_claims.ref: takes text, a whole number"),
        ({"fixed_claims": {"ref": ["a", 1]}}, "fixed_claims.ref: takes text, a whole number"),
        ({"fixed_claims": {"a b": "x"}}, "is not a name for a claim"),
        ({"allowed_claims": {"ref": {"type": "float"}}}, "ref.type: takes one of string"),
        ({"allowed_claims": {"ref": {}}}, "allowed_claims.ref.type: is missing"),
        ({"allowed_claims": {"ref": {"type": "string", "x": 1}}}, "ref.x: is not a setting"),
        (
            {"allowed_claims": {"a": {"type": "string"}}, "fixed_claims": {"a": "b"}},
            "allowed_claims: holds a, which is fixed",
        ),
        ({"algorithm": "RS256"}, "algorithm: takes what its key signs: ES256"),
        ({"algorithm": "none"}, "algorithm: takes what its key signs: ES256"),
    ],
)
def test_a_role_that_contradicts_itself_is_refused(settings: dict[str, Any], reason: str) -> None:
    assert reason in refusal(**settings)


def test_a_role_without_any_subject_is_refused() -> None:
    settings = role()
    del settings["subject_template"]
    with pytest.raises(ConfigError, match="exclude each other: set one"):
        parse(changed((ROLES, settings)), Path("/nowhere"))
