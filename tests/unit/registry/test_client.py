"""The challenge, and how it is answered."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from fakes.scripted import Scripted
from pullpass.credential import Credential
from pullpass.errors import RegistryError
from pullpass.http import Request, Response, run
from pullpass.jose import generate_key, sign
from pullpass.registry.client import Grant, Session, authenticate
from pullpass.registry.place import Place
from pullpass.scope import Scope, parse_scopes
from pullpass.secret import Secret

PLACE = Place(registry="registry.example.com")
REALM = "https://auth.example.com/token"
BEARER = f'Bearer realm="{REALM}",service="registry.example.com",scope="repository:a:pull"'
CREDENTIAL = Credential(username="puller", secret=Secret("correct horse"))
BASIC = f"Basic {b64encode(b'puller:correct horse').decode()}"
(PULL,) = parse_scopes(["repository:a:pull"])


def refusal(challenge: str = BEARER) -> Response:
    return Response(status=401, headers={"www-authenticate": challenge})


def token(*, status: int = 200, **members: Any) -> Scripted:
    body = json.dumps(members).encode()
    return Scripted({("GET", REALM): Response(status=status, body=body)})


def answered(
    realm: Scripted,
    *scopes: Scope,
    challenge: str = BEARER,
    credential: Credential | None = CREDENTIAL,
) -> Grant:
    return run(authenticate(PLACE, refusal(challenge), credential, scopes), realm)


def test_the_realm_is_asked_as_docker_asks_it() -> None:
    realm = token(token="abc")
    grant = answered(realm, *parse_scopes(["repository:a:pull", "repository:b:pull,push"]))
    (request,) = realm.asked
    assert parse_qsl(urlsplit(request.url).query) == [
        ("account", "puller"),
        ("service", "registry.example.com"),
        ("scope", "repository:a:pull"),
        ("scope", "repository:b:pull,push"),
    ]
    assert request.headers == {"Authorization": BASIC}
    assert grant.authorization.reveal() == "Bearer abc"


def test_without_wishes_it_asks_for_what_the_challenge_names() -> None:
    realm = token(token="abc")
    answered(realm, challenge=f'{BEARER[:-1]} repository:b:pull"')
    scopes = [value for name, value in parse_qsl(realm.asked[0].url) if name == "scope"]
    assert scopes == ["repository:a:pull", "repository:b:pull"]


def test_without_a_credential_it_asks_for_what_anybody_may_have() -> None:
    realm = token(token="abc")
    answered(realm, PULL, credential=None)
    (request,) = realm.asked
    assert request.headers == {}
    assert "account" not in request.url


def test_a_realm_may_have_a_query_already() -> None:
    realm = token(token="abc")
    answered(realm, PULL, challenge=f'Bearer realm="{REALM}?tenant=1"')
    assert realm.asked[0].url == f"{REALM}?tenant=1&account=puller&scope=repository%3Aa%3Apull"


@pytest.mark.parametrize("member", [b"token", b"access_token"])
def test_the_token_comes_under_either_name(member: bytes) -> None:
    realm = Scripted({("GET", REALM): Response(status=200, body=b'{"%s": "abc"}' % member)})
    assert answered(realm, PULL).authorization.reveal() == "Bearer abc"


def test_what_was_granted_is_read_from_the_token() -> None:
    access = [
        {"type": "repository", "name": "a", "actions": ["pull"]},
        {"type": "repository", "name": "b", "actions": [1]},
        "junk",
    ]
    key = generate_key()
    jwt = sign({"access": access}, key, kid="1").reveal()
    granted = answered(token(token=jwt), PULL).granted
    assert granted == (PULL, Scope(type="repository", name="b", actions=frozenset()))


def test_a_token_that_cannot_be_read_is_used_all_the_same() -> None:
    assert answered(token(token="opaque"), PULL).granted is None


def test_a_registry_may_take_the_credential_itself() -> None:
    realm = token()
    grant = answered(realm, PULL, challenge='Basic realm="registry"')
    assert grant.authorization.reveal() == BASIC
    assert realm.asked == []


@pytest.mark.parametrize("challenge", ["", "Negotiate", 'Bearer realm="x', 'Digest realm="x"'])
def test_a_challenge_that_nobody_knows_is_an_error(challenge: str) -> None:
    realm = token(token="abc")
    with pytest.raises(RegistryError, match="its 401"):
        answered(realm, PULL, challenge=challenge)
    assert realm.asked == []


def test_nothing_is_shown_to_a_realm_that_is_not_trusted() -> None:
    realm = token(token="abc")
    with pytest.raises(RegistryError, match="realm"):
        answered(realm, PULL, challenge='Bearer realm="http://auth.example.com/token"')
    assert realm.asked == []


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 302])
def test_a_realm_that_gives_no_token_is_named_with_its_status(status: int) -> None:
    with pytest.raises(RegistryError, match=f"registry.example.com: its token server .*{status}"):
        answered(token(status=status, error="correct horse"), PULL)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"token": 1}', b'{"token": "a b"}', b'{"token": "\\n"}'],
)
def test_an_answer_without_a_token_is_an_error(body: bytes) -> None:
    realm = Scripted({("GET", REALM): Response(status=200, body=body)})
    with pytest.raises(RegistryError, match="holds no token"):
        answered(realm, PULL)


def guarded(request: Request) -> Response:
    """Answers only with the token «abc»."""
    open_ = request.headers.get("Authorization") == "Bearer abc"
    return Response(status=200) if open_ else refusal()


URL = PLACE.url("a/tags/list")


def asked(transport: Scripted, times: int = 1, session: Session | None = None) -> None:
    used = session or Session(place=PLACE, scope=PULL, credential=CREDENTIAL)
    for _ in range(times):
        run(used.ask(Request(method="GET", url=URL), "the list", (200,)), transport)


def test_one_token_serves_all_requests_of_a_session() -> None:
    realm = Response(status=200, body=b'{"token": "abc"}')
    transport = Scripted({("GET", REALM): realm, ("GET", URL): guarded})
    asked(transport, times=3)
    assert [urlsplit(request.url).path for request in transport.asked] == [
        "/v2/a/tags/list",
        "/token",
        "/v2/a/tags/list",
        "/v2/a/tags/list",
        "/v2/a/tags/list",
    ]


def test_a_registry_that_asks_for_nothing_is_shown_nothing() -> None:
    transport = Scripted({("GET", URL): Response(status=200)})
    asked(transport)
    assert [request.headers for request in transport.asked] == [{}]


def test_a_refused_token_is_not_asked_for_again() -> None:
    realm = Response(status=200, body=b'{"token": "stale"}')
    transport = Scripted({("GET", REALM): realm, ("GET", URL): guarded})
    session = Session(place=PLACE, scope=PULL, credential=CREDENTIAL)
    for _ in range(2):
        with pytest.raises(RegistryError, match="refused with 401"):
            asked(transport, session=session)
    assert sum(request.url.startswith(REALM) for request in transport.asked) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "refused with 401"), (403, "refused with 403"), (404, "not there"), (500, "status 500")],
)
def test_another_status_is_an_error_that_says_what_to_do(status: int, reason: str) -> None:
    transport = Scripted(
        {
            ("GET", REALM): Response(status=200, body=b'{"token": "abc"}'),
            ("GET", URL): lambda request: Response(status=status) if request.headers else refusal(),
        }
    )
    with pytest.raises(RegistryError, match=f"registry.example.com: the list: .*{reason}") as error:
        asked(transport)
    assert "abc" not in str(error.value)
    assert "horse" not in str(error.value)


def test_a_session_shows_no_secret() -> None:
    session = Session(place=PLACE, scope=PULL, credential=CREDENTIAL)
    transport = Scripted(
        {("GET", REALM): Response(status=200, body=b'{"token": "abc"}'), ("GET", URL): guarded}
    )
    asked(transport, session=session)
    assert "abc" not in repr(session)
    assert "horse" not in repr(session)
