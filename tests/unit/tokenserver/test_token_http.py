"""Docker's token endpoint: what is answered, and GET with Basic."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.token_server import SERVICE, Door, basic, granted, oauth_error

PULL = "repository:team/app:pull"
PUSH = "repository:team/app:pull,push"
MAIN = "repo:acme/app:ref:refs/heads/main"


def test_the_answer_has_what_clients_of_both_kinds_read(door: Door) -> None:
    for answer in (door.token(PULL), door.post(scope=PULL)):
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        assert body.keys() == {"token", "access_token", "expires_in", "issued_at", "scope"}
        assert body["token"] == body["access_token"]
        assert (body["expires_in"], body["scope"]) == (300, PULL)
        issued = datetime.strptime(body["issued_at"], "%Y-%m-%dT%H:%M:%S%z")
        assert abs(issued - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_credential_of_the_exchange_gives_a_token(door: Door) -> None:
    password = door.exchange().json()["access_token"]
    assert granted(door.token(PULL, password=password)) == PULL


@pytest.mark.parametrize(
    ("scopes", "gives"),
    [
        ([], ""),
        ([""], ""),
        ([PULL], PULL),
        ([PUSH], PULL),
        ([PULL, "repository:team/web:pull"], f"{PULL} repository:team/web:pull"),
        ([f"{PULL} repository:team/web:pull"], f"{PULL} repository:team/web:pull"),
        ([f"  {PULL}  {PULL} ", PUSH], PULL),
        ([PULL, "repository:secret/app:pull"], PULL),
        (["repository:secret/app:pull,push"], ""),
        (["registry:catalog:*"], ""),
        (["repository:team/app:"], ""),
        (["repository(plugin):team/app:pull"], PULL),
    ],
)
def test_less_than_was_asked_for_is_no_error(door: Door, scopes: list[str], gives: str) -> None:
    assert granted(door.token(*scopes)) == gives
    fields = [("scope", scope) for scope in scopes]
    assert granted(door.post(*fields)) == gives
    assert granted(door.post(scope=" ".join(scopes))) == gives


@pytest.mark.parametrize(
    "scope",
    [
        "repository",
        "repository:team/app",
        "repository:team/app:pull:",
        "repository:team/app:PULL",
        "repository:team/../app:pull",
        "repository:team/*:pull",
        "repository::pull",
        ":team/app:pull",
        "repository:team/app:pull\x00",
        "repository:team/app:pull\nrepository:team/web:pull",
        "repository:téam/app:pull",
        " ".join(f"repository:a{at}:pull" for at in range(65)),
        f"repository:{'a' * 5000}:pull",
    ],
    ids=lambda scope: repr(scope[:30]),
)
def test_a_scope_that_is_none_is_a_bad_request(door: Door, scope: str) -> None:
    oauth_error(door.token(scope), 400)
    oauth_error(door.post(scope=scope), 400)


@pytest.mark.parametrize("service", ["", "evil.example.com", SERVICE.upper(), f"{SERVICE}\r\n"])
def test_nothing_is_signed_for_an_unknown_service(door: Door, service: str) -> None:
    assert "does not know that service" in oauth_error(door.token(PULL, service=service), 400)
    assert "does not know that service" in oauth_error(door.post(service=service), 400)
    assert "does not know that service" in oauth_error(door.post(service=None), 400)
    assert door.world.keys.made == {}


TOKENLESS = f"/token?{urlencode({'service': SERVICE, 'scope': PULL})}"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Basic")],
        [("Authorization", "Basic ")],
        [("Authorization", "Basic !!!!")],
        [("Authorization", "Basic cHVsbGVy")],  # no colon
        [("Authorization", "Basic cHVsbGVyO")],  # no padding
        [("Authorization", "Basic cHVsbGVyOg==")],  # no password
        [("Authorization", f"Basic {b64encode(bytes([255, 58, 255])).decode()}")],
        [("Authorization", "Bearer a.b.c")],
        [("Authorization", "Digest username=puller")],
        [basic("puller:correct horse")],
        [basic("puller:a.b.c")],
        [basic("puller:" + "x" * 20_000)],
        [basic("puller:é.é.é")],
    ],
    ids=lambda headers: repr(headers)[:60],
)
def test_without_a_credential_it_asks_for_one(door: Door, headers: list[tuple[str, str]]) -> None:
    answer = door.ask("GET", TOKENLESS, headers=headers)
    oauth_error(answer, 401)
    assert answer.headers["www-authenticate"] == 'Basic realm="pullpass"'


def test_two_credentials_are_none(door: Door) -> None:
    good = basic(f"puller:{door.world.identity().reveal()}")
    for headers in ([good, good], [good, ("Authorization", "Bearer x")]):
        oauth_error(door.ask("GET", TOKENLESS, headers=headers), 401)


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_scheme_may_be_in_any_case(door: Door, scheme: str) -> None:
    _, value = basic(f"puller:{door.world.identity().reveal()}")
    headers = {"Authorization": f"{scheme} {value.split()[1]}"}
    assert granted(door.ask("GET", TOKENLESS, headers=headers)) == PULL


@pytest.mark.parametrize("user", ["", "puller", "<token>", "Jürgen", MAIN])
def test_any_user_name_will_do(door: Door, user: str) -> None:
    assert granted(door.token(PULL, user=user)) == PULL


@pytest.mark.parametrize("user", [None, MAIN])
def test_a_subject_with_colons_gets_through_whatever_user_name_is_shown(
    door: Door, user: str | None
) -> None:
    given = door.exchange(subject_token=door.world.identity(sub=MAIN).reveal()).json()
    assert ":" not in given["username"]
    answer = door.token(PUSH, user=user or given["username"], password=given["access_token"])
    assert granted(answer) == PUSH


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"access_type": "offline", "account": "puller"},
        {"username": None},
        {"client_id": None},
    ],
)
def test_a_password_may_be_posted(door: Door, fields: dict[str, Any]) -> None:
    assert granted(door.post(scope=PULL, **fields)) == PULL


def test_an_identity_or_credential_may_be_posted_as_refresh_token(door: Door) -> None:
    for secret in (door.world.identity().reveal(), door.exchange().json()["access_token"]):
        answer = door.post(
            grant_type="refresh_token", refresh_token=secret, password=None, scope=PULL
        )
        assert granted(answer) == PULL
        assert "refresh_token" not in answer.json()


pieces = st.lists(
    st.sampled_from(
        [
            "repository",
            "registry",
            "(plugin)",
            ":",
            "/",
            "team",
            "app",
            "pull",
            "push",
            "*",
            ",",
            " ",
            "..",
            "localhost:5000",
            "[::1]",
            "%",
            "\n",
            "\x00",
            "A",
            "é",
            "\U0001f600",
        ]
    )
).map("".join)


@given(st.lists(pieces | st.text(max_size=30), max_size=4))
def test_no_scope_is_a_failure_of_the_server(warm: Door, scopes: list[str]) -> None:
    answer = warm.token(*scopes)
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        told = granted(answer).split()
        assert [scope for scope in told if not scope.startswith("repository:team/")] == []
    else:
        oauth_error(answer, 400)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_are_a_failure_of_the_server(warm: Door, query: bytes, form: bytes) -> None:
    path = f"/token?{quote(query, safe='=&%+')}"
    headers = [("Authorization", b"Basic " + form)]
    assert warm.ask("GET", path, headers=headers).status_code in {400, 401}
    assert warm.ask("POST", "/token", content=form).status_code in {400, 401}
