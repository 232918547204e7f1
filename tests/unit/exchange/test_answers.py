"""What is made of an answer that a step gets."""

import json
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.answers import Answers
from fakes.exchange import GOOD, NOW, REGISTRY, says, spec_of, trade
from fakes.jfrog import unsigned
from pullpass.errors import ExchangeDenied, ExchangeError, ExchangeUnavailable, TransportError
from pullpass.http import Response


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, ExchangeDenied, "answered 400: check"),
        (403, ExchangeDenied, "answered 403: check"),
        (405, ExchangeDenied, "answered 405: check"),
        (422, ExchangeDenied, "answered 422: check"),
        (408, ExchangeUnavailable, "try again later"),
        (429, ExchangeUnavailable, "try again later"),
        (500, ExchangeUnavailable, "try again later"),
        (503, ExchangeUnavailable, "try again later"),
        (301, ExchangeError, "redirects are not followed: check that nothing"),
        (304, ExchangeError, "redirects are not followed"),
        (101, ExchangeError, "no answer to this step: check"),
        (204, ExchangeError, "something else than JSON: check that nothing"),
    ],
)
def test_a_status_decides_what_its_reader_should_do(
    status: int, kind: type[ExchangeError], words: str
) -> None:
    with pytest.raises(ExchangeError, match=words) as refused:
        trade(says(status, b""), spec=spec_of({}), parameters={})
    assert type(refused.value) is kind
    where = f"registry {REGISTRY}: step one at https://{REGISTRY}"
    assert str(refused.value).startswith(f"{where} answered {status}")


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        ("30", "in 30 seconds"),
        ("0", "later"),
        ("999999", "later"),
        ("-1", "later"),
        ("soon", "later"),
    ],
)
def test_when_to_try_again_is_repeated_where_it_is_advice(wait: str, said: str) -> None:
    with pytest.raises(ExchangeUnavailable, match=f"try again {said}$"):
        trade(says(429, b"", retry_after=wait))


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0, "401: check that provider_name"),
        (30, "401: check that provider_name"),
        (300, "401: compare the clocks: this host's is 300s ahead of the exchange's"),
        (-300, "401: compare the clocks: this host's is 300s behind the exchange's"),
    ],
)
def test_a_clock_that_is_off_is_named_where_a_token_is_refused(ahead: int, said: str) -> None:
    with pytest.raises(ExchangeDenied) as refused:
        trade(says(401, b"", date=formatdate(NOW - ahead, usegmt=True)))
    assert f"answered {said}" in str(refused.value)


def test_a_clock_that_is_off_hides_no_wrong_address() -> None:
    with pytest.raises(ExchangeDenied, match="answered 404: the registry has no OIDC token"):
        trade(says(404, b"", date=formatdate(NOW - 300, usegmt=True)))


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"error": "invalid_grant", "error_description": "secret-words"}, "400 (invalid_grant):"),
        ({"errors": [{"message": "x"}, {"code": "BAD_REQUEST"}]}, "400 (BAD_REQUEST):"),
        ({"error": "secret-words"}, "400:"),
        ({"error": ["secret-words", "invalid_grant"]}, "400 (invalid_grant):"),
        ({"error": {"code": "invalid_grant"}}, "400:"),
        (b"secret-words", "400:"),
        (["secret-words"], "400:"),
    ],
)
def test_an_error_code_is_shown_only_if_it_is_a_known_one(body: object, shown: str) -> None:
    with pytest.raises(ExchangeDenied) as refused:
        trade(says(400, body))
    assert f"answered {shown}" in str(refused.value)
    assert "secret-words" not in str(refused.value)


def test_a_registry_that_does_not_answer_is_to_be_tried_again() -> None:
    lost = TransportError("https://acme.jfrog.io: no answer (Connection refused)")
    with pytest.raises(ExchangeUnavailable) as refused:
        trade(Answers(answers=[lost]))
    assert refused.value.__cause__ is lost
    assert str(refused.value) == (
        "registry acme.jfrog.io: step token at https://acme.jfrog.io: no answer (Connection"
        " refused); check exchange and try again"
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "else than JSON"),
        (b"\xff", "else than JSON"),
        (b'{"access_token": NaN}', "else than JSON"),
        (b"[" * 100_000, "else than JSON"),
        (b'{"access_token": 1' + b"0" * 5000 + b"}", "else than JSON"),
        (b"null", "else than a JSON object"),
        (b'["a"]', "else than a JSON object"),
        (b"<!doctype html><title>Sign in", "with a web page"),
        ({}, "without access_token"),
        ({"access_token": None}, "without access_token"),
        ({"access_token": ""}, "without access_token"),
        ({"access_token": 5}, "with a access_token that is not one line of text"),
        ({"access_token": {"a": "b"}}, "not one line of text"),
        ({"access_token": "a\r\nb"}, "not one line of text"),
        ({"access_token": "\ud800"}, "not one line of text"),
        ({**GOOD, "username": 7}, "with a username that is not one line of text"),
        ({**GOOD, "username": "a:b"}, "holds a colon"),
        ({"access_token": "opaque"}, "without a user name"),
        ({"access_token": unsigned({"sub": ""})}, "without a user name"),
    ],
)
def test_an_answer_that_is_no_credential_is_an_error_which_says_so(
    body: object, words: str
) -> None:
    with pytest.raises(ExchangeError, match=words) as refused:
        trade(says(200, body))
    assert type(refused.value) is ExchangeError
    assert str(refused.value).startswith("registry acme.jfrog.io: step token ")
    assert "answered 200" in str(refused.value)


def test_a_page_is_told_by_its_type_too() -> None:
    with pytest.raises(ExchangeError, match="web page"):
        trade(says(200, GOOD, content_type="Text/HTML; charset=utf-8"))


SECRET = "hush-hush-hush"
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(SECRET))
BODIES = st.one_of(
    st.binary(),
    st.dictionaries(
        st.sampled_from(["access_token", "username", "expires_in", "error", "errors"]),
        st.one_of(VALUES, st.lists(VALUES, max_size=2), st.just([{"code": SECRET}])),
    ).map(lambda members: json.dumps(members).encode()),
)


@given(
    status=st.one_of(st.just(200), st.integers(100, 599)),
    body=BODIES,
    headers=st.dictionaries(st.sampled_from(["content-type", "retry-after"]), st.text()),
)
@settings(max_examples=200)
def test_any_answer_is_a_credential_or_an_exchange_error_and_neither_shows_a_token(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    subject = unsigned({"sub": SECRET})
    transport = Answers(answers=[Response(status=status, headers=headers, body=body)])
    try:
        credential = trade(transport, token=subject)
    except ExchangeError as error:
        shown = f"{error} {error!r}"
        assert str(error).startswith("registry acme.jfrog.io: step token ")
    else:
        shown = f"{credential!r} {credential.secret}".replace(repr(credential.username), "")
    assert SECRET not in shown
    assert subject not in f"{shown} {transport.seen!r}"
