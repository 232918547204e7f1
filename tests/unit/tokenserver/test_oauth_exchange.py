"""RFC 8693's token exchange, plain and as Docker Hub's clients ask for it."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.token_server import (
    GRANT,
    ID_TOKEN,
    OTHER_SERVICE,
    SERVICE,
    Door,
    granted,
    oauth_error,
)

PATH = "/oauth/token"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


def exchange(door: Door, **changes: Any) -> httpx.Response:
    """Asks as Hub's clients do; changes replace fields, None drops one."""
    usual = {
        "grant_type": GRANT,
        "subject_token_type": ID_TOKEN,
        "subject_token": door.world.identity().reveal(),
        "connection_id": "strongbox",
        "expires_in": "300",
    }
    fields = {name: value for name, value in (usual | changes).items() if value is not None}
    return door.ask("POST", PATH, content=urlencode(fields))


PLAIN = {
    "connection_id": None,
    "expires_in": None,
    "client_id": "strongbox",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "requested_token_type": ACCESS_TOKEN,
    "audience": SERVICE,
}


@pytest.mark.parametrize(("changes", "lives"), [({}, 300), ({"expires_in": "21600"}, 3600)])
def test_docker_hubs_clients_get_a_credential_for_as_long_as_they_ask_and_the_service_gives(
    door: Door, changes: dict[str, Any], lives: int
) -> None:
    answer = exchange(door, **changes)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.pop("access_token").count(".") == 2
    assert body == {
        "expires_in": lives,
        "token_type": "Bearer",
        "issued_token_type": ACCESS_TOKEN,
    }


def test_a_plain_exchange_names_the_connection_as_its_client(door: Door) -> None:
    answer = exchange(door, **PLAIN)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 3600


def test_what_is_given_is_good_for_a_registry_token(door: Door) -> None:
    password = exchange(door).json()["access_token"]
    answer = door.token("repository:team/app:pull", password=password, user="acme")
    assert granted(answer) == "repository:team/app:pull"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        *(({"expires_in": text}, "expires_in") for text in ("299", "21601", "1h", "٣٠٠", "-5")),
        ({"expires_in": "9" * 5000}, "expires_in"),
        ({"grant_type": "password"}, "grant_type"),
        ({"subject_token_type": ACCESS_TOKEN}, "subject_token_type"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "requested_token_type"),
        ({"audience": OTHER_SERVICE}, "audience is not the service"),
        ({"audience": "nobody"}, "audience is not the service"),
    ],
)
def test_what_cannot_be_given_is_a_bad_request(
    door: Door, changes: dict[str, Any], says: str
) -> None:
    assert says in oauth_error(exchange(door, **changes), 400)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"connection_id": "other"}, "check provider_name, connection_id or client_id"),
        ({"connection_id": None}, "check provider_name, connection_id or client_id"),
        ({**PLAIN, "client_id": "other"}, "check provider_name, connection_id or client_id"),
        ({"subject_token": "x"}, "not a signed JWT"),
        ({"subject_token": None}, "not a signed JWT"),
    ],
)
def test_who_is_not_let_in_is_unauthorized(door: Door, changes: dict[str, Any], says: str) -> None:
    assert says in oauth_error(exchange(door, **changes), 401)


@given(st.binary(max_size=300))
def test_any_body_is_answered_as_oauth_has_it(warm: Door, body: bytes) -> None:
    answer = warm.ask("POST", PATH, content=body)
    oauth_error(answer, answer.status_code)
    assert answer.status_code in {400, 401}
