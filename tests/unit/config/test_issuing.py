"""Settings of keys and issuers that depend on each other."""

from pathlib import Path
from typing import Any, Final

import pytest

from fakes.settings import ISSUER, changed, refusal_of, role, settings
from pullpass.config.issuing import KEY_ALGORITHMS
from pullpass.config.keys import MAX_LAG, MAX_SKEW
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import ConfigError

TENANT: Final = {"domain": "id.example.com", "id": "0b3f2d9e-7c1a-4f43-9a37-2f8c1d9f6c11"}
BAO: Final = {"address": "https://bao.example.com:8200", "token_file": "/run/bao/token"}


def parsed(key: Any = None, issuer: Any = None, tenant: Any = None) -> Config:
    """Returns settings with a key k, and an issuer i which signs with it."""
    signing = {"issuer": ISSUER, "signing_key": "k", "roles": {"r": role()}} | (issuer or {})
    values = {"keys": {"k": key or {}}, "issuers": {"i": signing}, "tenant": tenant or {}}
    return parse(values, Path("/nowhere"))


def refusal(**given: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        parsed(**given)
    return refusal_of(refused.value)


@pytest.mark.parametrize(("kind", "algorithms"), KEY_ALGORITHMS.items())
def test_an_issuer_signs_with_the_usual_algorithm_of_its_key(
    kind: str, algorithms: tuple[str, ...]
) -> None:
    assert parsed({"type": kind}).issuers["i"].algorithm == algorithms[0]
    for algorithm in algorithms:
        roles = {"roles": {"a": role(algorithm=algorithm), "b": role(algorithm=algorithm)}}
        assert parsed({"type": kind}, roles).issuers["i"].algorithm == algorithm


def test_an_issuer_has_one_algorithm() -> None:
    roles = {"a": role(algorithm="RS384"), "b": role()}
    said = refusal(key={"type": "rsa-2048"}, issuer={"roles": roles})
    assert said == "issuers.i.roles: sign with RS256 and RS384: an issuer has one"


def test_without_a_url_an_issuer_is_derived_of_the_tenant() -> None:
    values = {"keys": {"k": {}}, "issuers": {"jfrog": {"signing_key": "k"}}, "tenant": TENANT}
    found = parse(values, Path("/nowhere")).issuers["jfrog"]
    assert found.issuer == f"https://id.example.com/{TENANT['id']}/jwt/jfrog"
    assert found.tenant == TENANT["id"]


@pytest.mark.parametrize("lacking", ["domain", "id"])
def test_an_issuer_that_cannot_be_derived_says_what_is_missing(lacking: str) -> None:
    tenant = {name: value for name, value in TENANT.items() if name != lacking}
    values = {"keys": {"k": {}}, "issuers": {"i": {"signing_key": "k"}}, "tenant": tenant}
    with pytest.raises(ConfigError, match="domain and id under") as refused:
        parse(values, Path("/nowhere"))
    assert refused.value.key == "issuers.i.issuer"


@pytest.mark.parametrize(
    ("tenant", "key"),
    [
        ({"id": "1"}, "tenant.id"),
        ({"id": TENANT["id"].upper()}, "tenant.id"),
        ({"id": f"{{{TENANT['id']}}}"}, "tenant.id"),
        ({"domain": "Id.example.com"}, "tenant.domain"),
        ({"domain": "id.example.com:443"}, "tenant.domain"),
        ({"domain": "id.example.com/a"}, "tenant.domain"),
        ({"domain": "https://id.example.com"}, "tenant.domain"),
        ({"name": "acme"}, "tenant.name"),
    ],
)
def test_a_tenant_is_a_host_and_a_uuid(tenant: Any, key: str) -> None:
    assert refusal(tenant=tenant).startswith(f"{key}: ")


def test_a_url_longer_than_relying_parties_take_is_refused() -> None:
    assert "longer than 255 characters" in refusal(
        issuer={"issuer": f"https://a.example/{'a' * 240}"}
    )


def test_a_version_is_shown_for_as_long_as_what_it_signed_may_live() -> None:
    found = parsed(issuer={"max_ttl": "2h", "jwks_max_age": "10m"}).keys["k"]
    assert found.retire_grace == 7200 + MAX_SKEW + 600
    assert found.publish_lead == 86400
    assert (found.rotate_every, found.static) == (0, False)


@pytest.mark.parametrize(
    ("setting", "good", "bad"),
    [
        ("retire_grace", 3600 + MAX_SKEW + 300, "3600"),
        ("publish_lead", 300 + MAX_LAG, "300"),
    ],
)
def test_a_time_that_would_have_a_token_refused_is_refused(
    setting: str, good: int, bad: str
) -> None:
    assert getattr(parsed({setting: f"{good}s"}).keys["k"], setting) == good
    said = refusal(key={setting: f"{good - 1}s"})
    assert said.startswith(f"keys.k.{setting}: is shorter than {good}s, and ")
    assert bad


def test_of_several_issuers_the_one_with_the_longest_tokens_counts() -> None:
    values = changed(
        (("issuers", "others"), settings()["issuers"]["nodes"] | {"issuer": f"{ISSUER}2"}),
        (("issuers", "others", "max_ttl"), "1d"),
        (("issuers", "nodes", "jwks_max_age"), "15m"),
    )
    found = parse(values, Path("/nowhere")).keys
    assert found["identity"].retire_grace == 86400 + MAX_SKEW + 300
    assert found["registry-token"].retire_grace == 300 + MAX_SKEW
    assert found["exchange"].retire_grace == 3600 + MAX_SKEW


def test_versions_do_not_pile_up() -> None:
    least = 86400 + 3600 + MAX_SKEW + 300
    assert parsed({"rotate_every": f"{least}s"}).keys["k"].rotate_every == least
    assert "versions would pile up" in refusal(key={"rotate_every": f"{least - 1}s"})


def test_a_key_in_a_registry_s_bundle_is_rotated_by_hand() -> None:
    values = changed((("keys", "registry-token", "rotate_every"), "90d"))
    with pytest.raises(ConfigError, match="given this one as a bundle") as refused:
        parse(values, Path("/nowhere"))
    assert refused.value.key == "keys.registry-token.rotate_every"


def test_a_key_of_an_issuer_that_is_published_by_command_waits_for_it() -> None:
    assert parsed(issuer={"static": True}).keys["k"].static


def test_a_passphrase_is_a_credential_or_in_the_keyring() -> None:
    for kind in ("credential", "keyring"):
        found = parsed({"passphrase": {kind: "pullpass"}}).keys["k"].passphrase
        assert found
        assert getattr(found, kind) == "pullpass"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"passphrase": {}}, "keys.k.passphrase: takes { credential"),
        ({"passphrase": {"credential": "a", "keyring": "b"}}, "keys.k.passphrase: takes {"),
        ({"passphrase": {"credential": "a/b"}}, "keys.k.passphrase.credential: takes the name"),
        ({"passphrase": {"credential": ".."}}, "keys.k.passphrase.credential: takes the name"),
        ({"passphrase": {"keyring": "a"}, "backend": "keyring"}, 'is for the backend "file" alone'),
        ({"openbao": BAO}, "keys.k.openbao: is not a setting"),
        ({"backend": "openbao-transit"}, "keys.k.openbao.token_file: is missing"),
        (
            {"backend": "openbao-transit", "openbao": {"token_file": "/a"}},
            "keys.k.openbao.address: is missing",
        ),
    ],
)
def test_where_a_key_rests_is_said_in_one_way(key: Any, said: str) -> None:
    assert said in refusal(key=key)


def test_openbao_has_its_usual_mounts_and_the_key_its_name() -> None:
    found = parsed({"backend": "openbao-transit", "openbao": BAO}).keys["k"].openbao
    assert found
    assert (found.transit, found.state, found.key) == ("transit", "secret", "k")
    assert (found.namespace, found.token_file) == ("", Path("/run/bao/token"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("transit", "../sys"),
        ("transit", "a//b"),
        ("transit", "a/"),
        ("key", "a?b"),
        ("key", "a b"),
        ("key", "."),
        ("state", "a%2fb"),
        ("namespace", "a\nb"),
        ("address", "http://bao.example.com"),
        ("address", "https://bao.example.com/v1"),
        ("token_file", "token"),
    ],
)
def test_no_setting_of_openbao_leads_elsewhere(setting: str, value: str) -> None:
    said = refusal(key={"backend": "openbao-transit", "openbao": BAO | {setting: value}})
    assert said.startswith(f"keys.k.openbao.{setting}: ")


@pytest.mark.parametrize("audit", [{}, {"sinks": ["file"]}, {"sinks": ["journald", "file"]}])
def test_the_audit_goes_where_it_is_sent(audit: Any) -> None:
    found = parse({"audit": audit}, Path("/nowhere")).audit
    assert found.sinks == tuple(audit.get("sinks", ["file"]))


@pytest.mark.parametrize("audit", [{"sinks": []}, {"sinks": ["syslog"]}, {"file": "audit"}])
def test_an_audit_that_goes_nowhere_is_refused(audit: Any) -> None:
    with pytest.raises(ConfigError, match="audit"):
        parse({"audit": audit}, Path("/nowhere"))


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"require_audience": False}, "require_audience"),
        ({"allowed_subject_patterns": ["a"]}, "subject_template"),
        (
            {"allowed_claims": {"ref": {"type": "string"}}, "required_claims": ["ref"]},
            "required_claims",
        ),
        ({"max_ttl": "299s"}, "max_ttl"),
    ],
)
def test_a_pull_s_role_leaves_nothing_to_the_caller(changes: Any, setting: str) -> None:
    pull = role(**changes)
    if "allowed_subject_patterns" in changes:
        del pull["subject_template"]
    with pytest.raises(ConfigError) as refused:
        parse(changed((("issuers", "nodes", "roles", "docker-pull"), pull)), Path("/nowhere"))
    assert refused.value.key == f"issuers.nodes.roles.docker-pull.{setting}"
