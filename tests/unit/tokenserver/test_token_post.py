"""Docker's token endpoint: POST as OAuth 2.0, what it refuses, and what it writes down."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from fakes.token_server import (
    NOW,
    SERVICE,
    Door,
    config,
    connection,
    granted,
    oauth_error,
    served,
)
from pullpass.claims import read_token
from pullpass.tokenserver.app import MAX_FORM

PULL = "repository:team/app:pull"
PUSH = "repository:team/app:pull,push"


async def chunks(whole: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(whole), 11):
        yield whole[at : at + 11]


@pytest.mark.parametrize("slot", ["password", "refresh_token"])
def test_a_form_may_come_in_chunks_as_skopeo_sends_it(door: Door, slot: str) -> None:
    fields = [
        ("grant_type", slot),
        ("service", SERVICE),
        ("client_id", "containers/image"),
        ("scope", PUSH),
        ("scope", "repository:team/web:pull"),
        (slot, door.world.identity().reveal()),
    ]
    answer = door.ask("POST", "/token", content=chunks(urlencode(fields).encode()))
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert granted(answer) == f"{PULL} repository:team/web:pull"


@pytest.mark.parametrize(
    "fields",
    [
        {"grant_type": None},
        {"grant_type": "client_credentials"},
        {"grant_type": "authorization_code"},
        {"grant_type": "slot"},
        {"grant_type": "Password"},
    ],
)
def test_another_grant_is_a_bad_request(door: Door, fields: dict[str, Any]) -> None:
    assert "grant_type" in oauth_error(door.post(**fields), 400)


@pytest.mark.parametrize(
    "fields",
    [
        {"password": None},
        {"password": ""},
        {"password": "x"},
        {"grant_type": "refresh_token"},  # what is in the other slot does not count
        {"grant_type": "refresh_token", "refresh_token": "a.b.c"},
    ],
)
def test_a_missing_or_wrong_secret_is_a_bad_credential(door: Door, fields: dict[str, Any]) -> None:
    oauth_error(door.post(**fields), 401)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\xff", "not a form"),
        ("grant_type=pässword".encode(), "not a form"),
        (b"grant_type=%ff", "not a form"),
        (b"a=1&" * 200, "not a form"),
        (b'{"grant_type": "password"}', "grant_type is neither"),
        (b"", "grant_type is neither"),
    ],
    ids=repr,
)
def test_a_body_that_is_no_form_is_a_bad_request(door: Door, body: bytes, says: str) -> None:
    assert says in oauth_error(door.ask("POST", "/token", content=body), 400)


@pytest.mark.parametrize("length", [MAX_FORM + 1, 10 << 20])
def test_a_form_is_read_up_to_64_kib(door: Door, length: int) -> None:
    oauth_error(door.ask("POST", "/token", content=b"x" * length), 413)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_not_allowed(door: Door, method: str) -> None:
    assert door.ask(method, "/token").status_code == 405


def test_an_outage_of_the_issuer_or_the_keys_is_unavailable(door: Door) -> None:
    door.world.keys.lost = True
    assert "/" not in oauth_error(door.token(PULL), 503)
    with served() as other:
        other.world.issuer.up = False
        assert "keys cannot be had now" in oauth_error(other.token(PULL), 503)


def test_a_connection_that_is_switched_off_refuses_what_it_let_in(door: Door) -> None:
    password = door.exchange().json()["access_token"]
    off = config(strongbox=connection(active=False))
    with served(off, world=door.world) as switched:
        assert "is not active" in oauth_error(switched.token(PULL, password=password), 401)


def test_the_server_says_that_it_is_well(door: Door) -> None:
    assert door.ask("GET", "/healthz").text == "ok\n"


def test_each_token_leaves_a_line_without_a_secret(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    password, late = door.world.identity().reveal(), door.world.identity(exp=NOW + 30).reveal()
    with caplog.at_level(logging.DEBUG, "pullpass"):
        given = door.token(PUSH, "repository:secret/app:pull", password=password)
        refused = door.token(PULL, password=late)
        unknown = door.token(PULL, service='x"\r\n{"decision":"allow"}')
    lines = [json.loads(each.message) for each in caplog.records]
    assert [(line["event"], line["decision"]) for line in lines] == [
        ("token", "allow"),
        ("token", "deny"),
        ("token", "deny"),
    ]
    claims = read_token(given.json()["token"]).claims
    assert (
        lines[0].items()
        >= {
            "service": SERVICE,
            "connection": "strongbox",
            "sub": "registry-pull",
            "user": "puller",
            "jti": claims["jti"],
        }.items()
    )
    assert lines[0]["asked"] == [PUSH, "repository:secret/app:pull"]
    assert lines[0]["granted"] == [PULL, "repository:secret/app:"]
    for secret in (
        part for token in (password, late, given.json()["token"]) for part in token.split(".")[1:]
    ):
        assert secret not in caplog.text
        assert secret not in refused.text + unknown.text
