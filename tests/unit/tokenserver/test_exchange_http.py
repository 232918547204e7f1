"""JFrog's OIDC token exchange: the request and the answer that jfrog-client-go knows."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.any_json import json_values
from fakes.token_server import (
    EXCHANGE,
    GRANT,
    ID_TOKEN,
    NOW,
    SERVICE,
    Door,
    World,
    config,
    connection,
    served,
)
from pullpass.tokenserver.app import MAX_FORM, application


def error(answer: httpx.Response, status: int, code: str) -> str:
    """Returns the message of an answer that has the shape of JFrog's errors."""
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    (found,) = answer.json()["errors"]
    assert (found["code"], found["status"]) == (code, status)
    message: str = found["message"]
    assert message.isprintable()
    return message


def bad_request(answer: httpx.Response) -> str:
    return error(answer, 400, "BAD_REQUEST")


def test_an_identity_is_exchanged_as_jfrog_does_it(door: Door) -> None:
    answer = door.exchange()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body.pop("access_token").count(".") == 2
    assert body == {
        "username": "puller",
        "expires_in": 3600,
        "token_type": "Bearer",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": "applied-permissions/user",
    }


@pytest.mark.parametrize(
    "more",
    [
        {"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"},
        {"project_key": "acme", "include_reference_token": False, "job_id": ""},
        {"identity_mapping_name": None, "provider_type": "GenericOidc", "nested": {"a": [1]}},
    ],
)
def test_members_that_clients_send_besides_do_no_harm(door: Door, more: dict[str, Any]) -> None:
    assert door.exchange(**more).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_type": None},
        {"grant_type": "password"},
        {"grant_type": GRANT.upper()},
        {"grant_type": [GRANT]},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:access_token"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id-token"},
        {"subject_token_type": {"id_token": ID_TOKEN}},
    ],
    ids=json.dumps,
)
def test_another_grant_is_a_bad_request(door: Door, changes: dict[str, Any]) -> None:
    assert "OIDC token exchange" in bad_request(door.exchange(**changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"provider_name": None}, "check provider_name"),
        ({"provider_name": "Strongbox"}, "check provider_name"),
        ({"provider_name": "strongbox "}, "check provider_name"),
        ({"provider_name": ["strongbox"]}, "check provider_name"),
        ({"provider_name": "x\r\nevent: allow"}, "check provider_name"),
        ({"provider_name": "\ud800"}, "check provider_name"),
        ({"subject_token": None}, "not a signed JWT"),
        ({"subject_token": ""}, "not a signed JWT"),
        ({"subject_token": {"jwt": "x"}}, "not a signed JWT"),
        ({"subject_token": "\ud800.\ud800.\ud800"}, "not base64url"),
        ({"subject_token": "x" * 20_000}, "longer than 16384 bytes"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_a_connection_or_token_that_is_none_is_unauthorized(
    door: Door, changes: dict[str, Any], says: str
) -> None:
    assert says in error(door.exchange(**changes), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"sub": "stranger"}, "no ruleset of connection strongbox speaks of its sub, stranger"),
        ({"sub": None}, "no usable sub"),
        ({"aud": "other.example.com"}, f"its aud is other.example.com, needs {SERVICE}"),
        ({"iss": "https://evil.example.com"}, "its iss is not exactly"),
        ({"exp": NOW - 300}, "it expired 300s ago by this clock"),
        ({"nbf": NOW + 300, "exp": NOW + 600}, "its nbf is 300s ahead of this clock"),
        ({"exp": None}, "no exp"),
    ],
)
def test_a_wrong_identity_is_told_what_is_wrong(
    door: Door, claims: dict[str, Any], says: str
) -> None:
    shown = door.world.identity(**claims).reveal()
    assert says in error(door.exchange(subject_token=shown), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html>",
        b"grant_type=x",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b"1" * 60_000,
        b'{"a":' + b"1" * 60_000 + b"}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_no_json_object_is_a_bad_request(door: Door, body: bytes) -> None:
    assert "body is not" in bad_request(door.ask("POST", EXCHANGE, content=body))


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_a_body_may_come_in_chunks(door: Door) -> None:
    whole = door.exchange().request.content
    parts = [whole[at : at + 7] for at in range(0, len(whole), 7)]
    answer = door.ask("POST", EXCHANGE, content=chunks(*parts))
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 200


@pytest.mark.parametrize(("length", "status"), [(MAX_FORM, 400), (MAX_FORM + 1, 413)])
def test_a_body_is_read_up_to_64_kib(door: Door, length: int, status: int) -> None:
    for content in (b" " * length, chunks(b" " * (length - 1), b" ")):
        error(door.ask("POST", EXCHANGE, content=content), status, "BAD_REQUEST")


def test_a_body_without_an_end_is_not_waited_for() -> None:
    async def stalls() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    with served(patience=0.01) as door:
        assert "in time" in bad_request(door.ask("POST", EXCHANGE, content=stalls()))


def test_a_client_that_goes_away_is_no_failure_of_the_server() -> None:
    world, sent = World(), []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message.get("status"))

    async def asked() -> None:
        app = application(config(), world.mint, world.issuer)
        scope = {"type": "http", "method": "POST", "path": EXCHANGE, "headers": []}
        async with app.router.lifespan_context(app):
            await app(scope | {"query_string": b"", "root_path": ""}, gone, send)

    asyncio.run(asked())
    assert sent[0] == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_exchanges(door: Door, method: str) -> None:
    assert door.ask(method, EXCHANGE).status_code == 405


def test_an_inactive_connection_is_refused() -> None:
    with served(config(strongbox=connection(active=False))) as door:
        message = error(door.exchange(), 401, "UNAUTHORIZED")
    assert message == "connection strongbox is not active"


def test_an_issuer_that_cannot_be_had_is_unavailable(door: Door) -> None:
    door.world.issuer.up = False
    assert "keys cannot be had now" in error(door.exchange(), 503, "INTERNAL")


def test_where_the_keys_are_is_for_the_log_alone(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    door.world.keys.lost = True
    with caplog.at_level(logging.INFO, "pullpass.tokenserver"):
        message = error(door.exchange(), 503, "INTERNAL")
    assert "/var/lib" not in message
    assert "/var/lib/pullpass/keys/exchange.json cannot be read" in caplog.text


def test_each_exchange_leaves_a_line_without_a_secret(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = door.world.identity(), door.world.identity(sub="stranger", jti="two")
    with caplog.at_level(logging.DEBUG):
        given = door.exchange(subject_token=good.reveal())
        refused = door.exchange(subject_token=bad.reveal())
        forged = door.exchange(provider_name="x" * 9000 + '\r\n{"decision":"allow"}')
    lines = [json.loads(each.message) for each in caplog.records if each.name.startswith("pullp")]
    assert [(line["event"], line["decision"]) for line in lines] == [
        ("exchange", "allow"),
        ("exchange", "deny"),
        ("exchange", "deny"),
    ]
    assert (
        lines[0].items()
        >= {
            "connection": "strongbox",
            "service": SERVICE,
            "sub": "registry-pull",
            "user": "puller",
            "identity": "one",
        }.items()
    )
    assert "stranger" in lines[1]["reason"]
    assert len(lines[2]["connection"]) == 200
    secrets = (good.reveal(), bad.reveal(), given.json()["access_token"])
    for secret in (part for token in secrets for part in token.split(".")[1:]):
        assert secret not in caplog.text
        assert secret not in refused.text + forged.text


@given(st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_body_is_a_failure_of_the_server(warm: Door, body: bytes) -> None:
    bad_request(warm.ask("POST", EXCHANGE, content=body))


@given(
    st.fixed_dictionaries(
        {
            "grant_type": st.just(GRANT) | json_values,
            "subject_token_type": st.just(ID_TOKEN) | json_values,
            "subject_token": json_values,
            "provider_name": st.just("strongbox") | json_values,
        }
    )
)
def test_no_members_are_a_failure_of_the_server(warm: Door, members: dict[str, Any]) -> None:
    answer = warm.ask("POST", EXCHANGE, content=json.dumps(members))
    assert answer.status_code in {400, 401}
