from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.answers import Answers
from fakes.exchange import PLACE, REGISTRY, says, spec_of, trade
from pullpass.credential import Credential
from pullpass.errors import ConfigError, ExchangeError, IdentityError
from pullpass.exchange.engine import audience
from pullpass.exchange.place import Place
from pullpass.exchange.reader import read_spec
from pullpass.http import Response
from pullpass.secret import Secret

TWO_STEPS: dict[str, Any] = {
    "hosts": ["tenant"],
    "steps": [
        {
            "id": "login",
            "url": "https://{tenant}.login.example.com/{realm}/token",
            "encoding": "form",
            "fields": {"assertion": "{identity}", "scope": "{scope?}"},
            "out": {"token": "auth.token"},
        },
        {
            "id": "act",
            "when": "account",
            "method": "GET",
            "url": "{exchange}/accounts/{account}",
            "query": {"service": "{registry}", "scope": "{scope?}"},
            "auth": {"bearer": "{login.token}"},
            "headers": {"X-Account": "{account}", "X-Scope": "{scope?}"},
            "out": {"user": "user?", "token": "token"},
        },
    ],
    "credential": {"username": ["{act.user}", "fallback"], "password": ["{login.token}"]},
}
TENANT = {"tenant": "acme", "realm": "main"}


def test_one_step_feeds_the_next() -> None:
    answers = [
        Response(status=200, body=b'{"auth": {"token": "first"}}'),
        Response(status=201, body=b'{"user": "bob", "token": "second"}'),
    ]
    transport = Answers(answers=answers)
    spec = read_spec(TWO_STEPS, "two")
    credential = trade(transport, spec=spec, parameters=TENANT | {"account": "a b/c"})
    login, act = transport.seen
    assert login.url == "https://acme.login.example.com/main/token"
    assert (act.method, act.body) == ("GET", b"")
    assert act.url == "https://acme.jfrog.io/accounts/a%20b%2Fc?service=acme.jfrog.io"
    assert act.headers == {
        "accept": "application/json",
        "x-account": "a b/c",
        "authorization": "Bearer first",
    }
    assert credential == Credential(username="bob", secret=Secret("first"))


def test_a_step_is_left_out_where_its_parameter_is_not_set() -> None:
    transport = says(200, {"auth": {"token": "first"}})
    credential = trade(transport, spec=read_spec(TWO_STEPS, "two"), parameters=TENANT)
    assert credential == Credential(username="fallback", secret=Secret("first"))


def test_basic_authentication_carries_the_token_as_password() -> None:
    spec = spec_of({"auth": {"basic": ["{org}+{robot}", "{identity}"]}})
    transport = says(200, {"token": "t"})
    trade(transport, spec=spec, parameters={"org": "acme", "robot": "ci"}, token="x")
    assert transport.seen[0].headers["authorization"] == "Basic YWNtZStjaTp4"


@pytest.mark.parametrize(
    ("step", "value"),
    [
        ({"auth": {"basic": ["{user}", "x"]}}, "a:b"),
        ({"auth": {"bearer": "{user}"}}, "é"),
        ({"headers": {"x-user": "{user}"}}, " a"),
        ({"url": "https://{registry}/{user}"}, ".."),
        ({"url": "https://{user}.example.com/", "host": True}, "evil.com/"),
    ],
)
def test_a_parameter_that_cannot_stand_in_its_place_is_a_wrong_setting(
    step: dict[str, Any], value: str
) -> None:
    hosts = ["user"] if step.get("host") else []
    spec = spec_of({key: part for key, part in step.items() if key != "host"}, hosts=hosts)
    with pytest.raises(ConfigError) as refused:
        trade(Answers(answers=[]), spec=spec, parameters={"user": value})
    assert refused.value.key == 'registry."acme.jfrog.io".parameters'


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "é", "\udcff"])
def test_what_is_no_token_is_never_shown_to_a_registry(token: str) -> None:
    with pytest.raises(IdentityError, match=r"^registry acme\.jfrog\.io: the subject token"):
        trade(Answers(answers=[]), token=token)


@pytest.mark.parametrize(
    "place",
    [
        Place(registry=REGISTRY, exchange="http://acme.jfrog.io"),
        Place(registry=REGISTRY, exchange="https://acme.jfrog.io/path"),
        Place(registry=REGISTRY, exchange="http://acme.jfrog.io", insecure=True),
        Place(registry=REGISTRY, insecure=True),
        Place(registry="evil@acme.jfrog.io"),
    ],
)
def test_a_token_goes_to_a_safe_origin_or_nowhere(place: Place) -> None:
    with pytest.raises(ConfigError) as refused:
        trade(Answers(answers=[]), place=place)
    assert refused.value.key == f'registry."{place.registry}".exchange'


def test_the_audience_is_what_the_spec_says() -> None:
    spec = spec_of({}, audience="//iam.example.com/{pool}")
    assert audience(spec, {"pool": "a/b"}, PLACE) == "//iam.example.com/a/b"


def test_a_spec_may_have_an_exchange_of_its_own_which_an_entry_may_move() -> None:
    spec = spec_of({"url": "{exchange}/t"}, exchange="https://identity.example.com")
    asked = []
    for place in (PLACE, Place(registry=REGISTRY, exchange="https://test.example.com")):
        transport = says(200, {"token": "t"})
        trade(transport, spec=spec, parameters={}, place=place)
        asked.append(transport.seen[0].url)
    assert asked == ["https://identity.example.com/t", "https://test.example.com/t"]


@given(st.fixed_dictionaries({n: st.text(min_size=1) for n in ("realm", "account", "scope")}))
@settings(max_examples=200)
def test_no_parameter_moves_a_request_or_adds_to_it(parameters: dict[str, str]) -> None:
    good = Response(status=200, body=b'{"auth": {"token": "t"}, "token": "t"}')
    transport = Answers(answers=[good, good])
    try:
        trade(transport, spec=read_spec(TWO_STEPS, "two"), parameters={"tenant": "a"} | parameters)
    except ConfigError as error:
        assert error.key.startswith('registry."acme.jfrog.io".parameters')
    except ExchangeError as error:
        assert "cannot be asked" in str(error)
    for request, path, host in zip(
        transport.seen, (3, 3), ("a.login.example.com", REGISTRY), strict=False
    ):
        parts = urlsplit(request.url)
        assert (parts.scheme, parts.netloc, parts.fragment) == ("https", host, "")
        assert len(parts.path.split("/")) == path
        fields = dict(parse_qsl(parts.query or request.body.decode(), strict_parsing=True))
        assert fields.keys() in ({"assertion", "scope"}, {"service", "scope"})
        assert fields["scope"] == parameters["scope"]
