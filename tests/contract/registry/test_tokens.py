"""Which tokens open the door: the matrix of docker-registry 2.8.2 with certificates of the keys."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fakes.registries import ISSUER, SERVICE, Realm, Registry
from pullpass.jose import generate_key, sign
from pullpass.registry.challenge import Challenge, parse_challenges
from pullpass.scope import Scope, parse_scopes

REPOSITORY = "team/app"
SCOPE = f"repository:{REPOSITORY}:pull"
PATH = f"/v2/{REPOSITORY}/manifests/nothing"  # 404 once the door is open
CLAIMS = {"iss": ISSUER, "aud": SERVICE, "exp": 4102444800, "access": []}


def challenge(answer: httpx.Response) -> Challenge:
    (found,) = parse_challenges(answer.headers["www-authenticate"])
    return found


def scopes_of(asked: Challenge) -> set[Scope]:
    """Returns the scopes of a challenge, which docker-registry writes in any order."""
    return set(parse_scopes([asked.parameters.get("scope", "")]))


def entry(name: str = REPOSITORY, kind: str = "repository", **members: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "actions": ["pull"], **members}


def part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(_: Realm) -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(CLAIMS)}."


def signed_with_the_public_key(realm: Realm) -> str:
    kid = realm.key.public.libtrust_id()
    text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{part(CLAIMS)}"
    mac = hmac.digest(realm.certificate.read_bytes(), text.encode(), "sha256")
    return f"{text}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def with_an_unknown_kid(realm: Realm) -> str:
    return sign(CLAIMS, realm.key, kid="AAAA:BBBB").reveal()


def with_a_thumbprint_as_kid(realm: Realm) -> str:
    return sign(CLAIMS, realm.key, kid=realm.key.public.thumbprint()).reveal()


def with_the_kid_of_another_key(realm: Realm) -> str:
    return sign(CLAIMS, generate_key(), kid=realm.key.public.libtrust_id()).reveal()


def with_other_claims_than_it_was_signed_for(realm: Realm) -> str:
    header, _, signature = realm.token(SCOPE).split(".")
    return f"{header}.{part(CLAIMS)}.{signature}"


def without_a_signature(realm: Realm) -> str:
    return realm.token(SCOPE).rpartition(".")[0]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/", ""),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("GET", "/v2/team/app/tags/list", "repository:team/app:pull"),
        ("HEAD", "/v2/team/app/manifests/x", "repository:team/app:pull"),
        ("PUT", "/v2/team/app/manifests/x", "repository:team/app:pull,push"),
        ("DELETE", "/v2/team/app/manifests/x", "repository:team/app:delete"),
        ("POST", "/v2/team/app/blobs/uploads/", "repository:team/app:pull,push"),
        (
            "POST",
            "/v2/team/app/blobs/uploads/?from=base/os&mount=x",
            "repository:team/app:pull,push repository:base/os:pull",
        ),
    ],
)
def test_without_a_token_the_registry_says_where_to_get_which(
    registry: Registry, method: str, path: str, scope: str
) -> None:
    answer = registry.ask(method, path)
    assert answer.status_code == 401
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    asked = challenge(answer)
    assert asked.scheme == "bearer"
    assert asked.parameters.keys() <= {"realm", "service", "scope"}
    assert asked.parameters["realm"] == registry.realm.url
    assert asked.parameters["service"] == SERVICE
    assert scopes_of(asked) == set(parse_scopes([scope]))
    if method != "HEAD":
        assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer", "Bearer  two spaces"])
def test_what_is_no_bearer_token_is_as_none(registry: Registry, header: str) -> None:
    answer = registry.ask("GET", PATH, headers={"Authorization": header})
    assert answer.status_code == 401
    assert "error" not in challenge(answer).parameters


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_in_any_case(registry: Registry, scheme: str) -> None:
    token = registry.realm.token(SCOPE)
    answer = registry.ask("GET", PATH, headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"nbf": None},
        {"iat": None},
        {"jti": None},
        {"sub": None},
        {"exp": lambda now: now - 30},
        {"nbf": lambda now: now + 30},
        {"iat": lambda now: now + 3600},
        {"exp": lambda now: now + 10 * 365 * 86400},
        {"access": [entry(actions=["push"]), entry()]},
        {"access": [entry(), entry(name="other", actions=None)]},
        {"access": [entry(actions=["*"])]},
        {"access": [{**entry(), "class": "plugin"}]},
    ],
    ids=lambda claims: json.dumps(claims, default=lambda _: "…"),
)
def test_the_door_opens(registry: Registry, claims: dict[str, Any]) -> None:
    token = registry.realm.token(SCOPE, **moved(claims))
    assert registry.ask("GET", PATH, token=token).status_code == 404


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": None},
        {"aud": "other.test"},
        {"aud": [SERVICE]},
        {"aud": ""},
        {"iss": None},
        {"iss": f"{ISSUER}/"},
        {"exp": None},
        {"exp": 0},
        {"exp": lambda now: now - 70},
        {"exp": lambda now: now + 300.5},
        {"exp": lambda now: float(now + 300)},
        {"exp": lambda now: str(now + 300)},
        {"nbf": lambda now: now + 70},
        {"iat": 1.5},
        {"sub": 5},
        {"jti": 5},
        {"access": "all"},
        {"access": ["all"]},
        {"access": [entry(actions="pull")]},
        {"access": [entry(actions=[1])]},
        {"access": [{**entry(), "name": 1}]},
    ],
    ids=lambda claims: json.dumps(claims, default=lambda _: "…"),
)
def test_a_token_with_wrong_claims_is_invalid(registry: Registry, claims: dict[str, Any]) -> None:
    answer = registry.ask("GET", PATH, token=registry.realm.token(SCOPE, **moved(claims)))
    assert answer.status_code == 401
    assert challenge(answer).parameters["error"] == "invalid_token"


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        signed_with_the_public_key,
        with_an_unknown_kid,
        with_a_thumbprint_as_kid,
        with_the_kid_of_another_key,
        with_other_claims_than_it_was_signed_for,
        without_a_signature,
        lambda _: "junk",
        lambda _: "a.b.c",
    ],
)
def test_a_forged_token_is_invalid(registry: Registry, forge: Callable[[Realm], str]) -> None:
    answer = registry.ask("GET", "/v2/", token=forge(registry.realm))
    assert answer.status_code == 401
    assert challenge(answer).parameters["error"] == "invalid_token"


@pytest.mark.parametrize(
    "access",
    [
        None,
        [],
        [entry(name="team/other")],
        [entry(name="team/*")],
        [entry(name="*")],
        [entry(kind="repository(plugin)")],
        [entry(kind="registry")],
        [entry(actions=["push"])],
        [entry(actions=[])],
        [entry(actions=None)],
        [{"type": "repository", "name": REPOSITORY}],
    ],
    ids=json.dumps,
)
def test_a_token_for_something_else_is_not_enough(registry: Registry, access: Any) -> None:
    answer = registry.ask("GET", PATH, token=registry.realm.token(SCOPE, access=access))
    assert answer.status_code == 401
    assert challenge(answer).parameters["error"] == "insufficient_scope"
    assert challenge(answer).parameters["scope"] == SCOPE


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_with_leave_to_pull_nobody_pushes_or_deletes(registry: Registry, method: str) -> None:
    answer = registry.ask(method, PATH, SCOPE)
    assert answer.status_code == 401
    assert challenge(answer).parameters["error"] == "insufficient_scope"


def test_an_upload_needs_leave_to_push(registry: Registry) -> None:
    answer = registry.ask("POST", f"/v2/{REPOSITORY}/blobs/uploads/", SCOPE)
    assert answer.status_code == 401
    assert challenge(answer).parameters["error"] == "insufficient_scope"


def test_the_catalog_is_not_for_those_who_may_pull(registry: Registry) -> None:
    answer = registry.ask("GET", "/v2/_catalog", SCOPE)
    assert answer.status_code == 401
    assert challenge(answer).parameters["error"] == "insufficient_scope"


def moved(claims: dict[str, Any]) -> dict[str, Any]:
    """Returns claims with their times counted from now."""
    now = int(time.time())
    return {name: value(now) if callable(value) else value for name, value in claims.items()}
