from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.settings import ISSUER, refusal_of
from pullpass.config.issuing import Issuer, Role
from pullpass.errors import MintDenied
from pullpass.issuer.role import BACKDATE, MAX_SUBJECT, MintRequest, draft, subject

NOW: Final = 1_800_000_000.9
REGISTRY: Final = "registry.example.com:5000"
NOTHING: Final[Mapping[str, str]] = {}


def role(**changes: Any) -> Role:
    usual = {
        "name": "docker-pull",
        "allowed_audiences": (REGISTRY,),
        "default_audiences": (),
        "subject_template": "registry-pull",
        "default_ttl": 300,
        "max_ttl": 1800,
    }
    return Role(**{**usual, **changes})


def drafted(
    allowed: Role,
    *audiences: str,
    ttl: int | None = None,
    facts: Mapping[str, str] = NOTHING,
    tenant: str = "",
    subject: str = "",
    claims: Mapping[str, Any] = NOTHING,
) -> dict[str, Any]:
    issuer = Issuer(
        name="nodes",
        issuer=ISSUER,
        signing_key="identity",
        algorithm="ES256",
        default_ttl=300,
        max_ttl=3600,
        jwks_max_age=300,
        insecure=False,
        static=False,
        tenant=tenant,
        roles={},
    )
    request = MintRequest(audiences=audiences, ttl=ttl, facts=facts, subject=subject, claims=claims)
    return draft(issuer, allowed, request, now=NOW, token_id="one")


def denial(allowed: Role, *audiences: str, **asked: Any) -> str:
    with pytest.raises(MintDenied) as denied:
        drafted(allowed, *audiences, **asked)
    text = refusal_of(denied.value)
    assert text.startswith("role docker-pull: ")
    return text


def test_the_claims_are_those_that_every_relying_party_takes() -> None:
    assert drafted(role(), REGISTRY) == {
        "iss": ISSUER,
        "sub": "registry-pull",
        "aud": REGISTRY,
        "iat": 1_800_000_000,
        "nbf": 1_800_000_000 - BACKDATE,
        "exp": 1_800_000_300,
        "jti": "one",
    }


def test_times_are_whole_seconds() -> None:
    claims = drafted(role(), REGISTRY)
    assert {type(claims[name]) for name in ("iat", "nbf", "exp")} == {int}


def test_several_audiences_are_a_list() -> None:
    allowed = role(allowed_audiences=("a.example.com", "b.example.com"))
    assert drafted(allowed, "b.example.com", "a.example.com")["aud"] == [
        "b.example.com",
        "a.example.com",
    ]


@pytest.mark.parametrize(
    "audience",
    [
        "registry.example.com",
        "registry.example.com:500",
        "registry.example.com:50000",
        "Registry.example.com:5000",
        "registry.example.com:5000/",
        "https://registry.example.com:5000",
        "evil.example.com",
        " registry.example.com:5000",
        "registry.example.com:5000\n",
        "",
    ],
)
def test_an_audience_is_allowed_byte_for_byte(audience: str) -> None:
    text = denial(role(), audience)
    assert "is not allowed" in text
    assert "port included" in text


@pytest.mark.parametrize(
    ("glob", "audience", "allowed"),
    [
        ("*.example.com", "eu.example.com", True),
        ("*.example.com", "a.eu.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", "eu.example.com:5000", False),
        ("*.example.com:5000", "eu.example.com:5000", True),
        ("*.example.com:5000", "eu:1.example.com:5000", False),
        ("eu.example.com:*", "eu.example.com:5000", True),
        ("eu.example.com*", "eu.example.com.evil.org", False),
        ("eu.example.com*", "eu.example.com:5000", False),
        ("*", "localhost", True),
        ("*", "evil.org", False),
        ("*", "localhost/team", False),
        ("*", "", False),
        ("reg?.example.com", "reg1.example.com", True),
        ("reg?example.com", "reg.example.com", False),
        ("urn:example:*", "urn:example:a", True),
    ],
)
def test_a_star_never_crosses_a_label(glob: str, audience: str, *, allowed: bool) -> None:
    wanted = role(allowed_audiences=("other.example.com", glob))
    if allowed:
        assert drafted(wanted, audience)["aud"] == audience
    else:
        assert "is not allowed" in denial(wanted, audience)


@given(st.text("ab.:/", min_size=1, max_size=12).filter(lambda text: not {*".:/"}.isdisjoint(text)))
def test_no_star_alone_allows_an_audience_of_several_labels(audience: str) -> None:
    denial(role(allowed_audiences=("*", "a*", "*b")), audience)


@pytest.mark.parametrize("audience", ["a\nb", "a b", "a\0", "\x1b[2J", "é", "a\u202e"])
def test_an_audience_is_visible_ascii(audience: str) -> None:
    assert "is not allowed" in denial(role(allowed_audiences=("**",)), audience)


def test_all_audiences_must_be_allowed() -> None:
    assert "evil.org" in denial(role(), REGISTRY, "evil.org")


def test_the_default_audience_is_for_who_names_none() -> None:
    allowed = role(default_audiences=(REGISTRY,))
    assert drafted(allowed)["aud"] == REGISTRY


def test_a_default_audience_must_be_allowed_too() -> None:
    assert "is not allowed" in denial(role(default_audiences=("evil.org",)))


def test_a_token_without_audience_is_not_made() -> None:
    assert "no audience" in denial(role())


def test_a_role_that_allows_no_audience_makes_no_token() -> None:
    denial(role(allowed_audiences=()), REGISTRY)


@pytest.mark.parametrize(("asked", "lives"), [(None, 300), (1, 1), (300, 300), (1800, 1800)])
def test_a_token_lives_as_long_as_was_asked_within_the_role(asked: int | None, lives: int) -> None:
    claims = drafted(role(), REGISTRY, ttl=asked)
    assert claims["exp"] - claims["iat"] == lives


@pytest.mark.parametrize("asked", [0, -1, 1801, 10**9])
def test_another_lifetime_is_denied(asked: int) -> None:
    assert "its max_ttl, 1800s" in denial(role(), REGISTRY, ttl=asked)


@pytest.mark.parametrize(
    ("template", "facts", "expected"),
    [
        ("registry-pull", {}, "registry-pull"),
        ("node:${node}", {"node": "worker-1"}, "node:worker-1"),
        ("${unix.user}@${node}", {"node": "a", "unix.user": "b"}, "b@a"),
        ("${node}${node}", {"node": "a"}, "aa"),
        ("$node {node} $", {"node": "a"}, None),
        ("$node{node}$", {"node": "a"}, "$node{node}$"),
        ("system:sa:${k8s.namespace}", {"k8s.namespace": "team_1"}, "system:sa:team_1"),
        ("${node}", {}, None),
        ("${node}", {"node": ""}, None),
        ("${Node}", {"Node": "a"}, None),
        ("${ node }", {" node ": "a"}, None),
        ("${}", {"": "a"}, None),
        ("${node", {"node": "a"}, None),
        ("${node}}", {"node": "a"}, "a}"),
        ("${node}", {"node": "a b"}, None),
        ("${node}", {"node": "a\nb"}, None),
        ("${node}", {"node": "a\0"}, None),
        ("${node}", {"node": "\x7f"}, None),
        ("${node}", {"node": "é"}, None),
        ("${node}", {"node": "a$b"}, None),
        ("${node}", {"node": "${unix.user}", "unix.user": "root"}, None),
        ("${node}{unix.user}", {"node": "$", "unix.user": "root"}, None),
        ("a b", {}, None),
        ("a\tb", {}, None),
        ("é", {}, None),
        ("", {}, None),
        ("a" * MAX_SUBJECT, {}, "a" * MAX_SUBJECT),
        ("a" * (MAX_SUBJECT + 1), {}, None),
        ("${node}", {"node": "a" * (MAX_SUBJECT + 1)}, None),
        ("${node}${node}", {"node": "a" * 200}, None),
    ],
)
def test_a_subject_is_its_template_with_every_variable_known(
    template: str, facts: Mapping[str, str], expected: str | None
) -> None:
    wanted = role(subject_template=template)
    if expected is None:
        assert "subject_template" in denial(wanted, REGISTRY, facts=facts)
    else:
        assert drafted(wanted, REGISTRY, facts=facts)["sub"] == expected


def test_a_variable_without_value_is_named() -> None:
    assert "${k8s.pod}" in denial(
        role(subject_template="${k8s.pod}"), REGISTRY, facts={"node": "a"}
    )


@given(
    st.lists(st.sampled_from(["${node}", "${", "}", "$", "a", " ", "\n"]), max_size=6).map("".join)
    | st.text(),
    st.text() | st.sampled_from(["${node}", "a"]),
)
def test_a_subject_is_visible_and_short_or_denied(template: str, node: str) -> None:
    try:
        found = subject(role(subject_template=template), {"node": node})
    except MintDenied as denied:
        refusal_of(denied)
    else:
        assert 0 < len(found) <= MAX_SUBJECT
        assert all("\x21" <= character <= "\x7e" for character in found)
        assert found == template.replace("${node}", node)
