import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.any_json import json_values
from pullpass.claims import (
    MAX_TOKEN,
    VerifiedClaims,
    audiences_of,
    decode_base64url,
    read_token,
)
from pullpass.errors import InvalidToken

# RFC 7515, appendix A.1
RFC_TOKEN = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)
HEADER = '{"alg":"ES256"}'


def encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def encoded(claims: bytes, header: bytes = b"{}", signature: str = "c2lnbmF0dXJl") -> str:
    return f"{encode(header)}.{encode(claims)}.{signature}"


def token(claims: str, header: str = HEADER, signature: str = "c2lnbmF0dXJl") -> str:
    return encoded(claims.encode(), header.encode(), signature)


def test_the_token_of_rfc_7515_is_read() -> None:
    read = read_token(RFC_TOKEN)
    assert read.header == {"typ": "JWT", "alg": "HS256"}
    assert read.claims == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    assert (read.text("iss"), read.text("exp"), read.text("sub")) == ("joe", "", "")
    assert (read.header_text("alg"), read.header_text("kid")) == ("HS256", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        token("{}", signature=""),
        token("{}", signature="c2lnbmF0dXJl="),
        token("{}", signature="c2lnbmF0dXJl\n"),
        token("{}", signature="c2l+"),
        token("{}", signature="a"),
        token("{}", signature="QR"),
        token("{}").replace(".", "=.", 1),
        " " + token("{}"),
        token("{}") + "é",
        token(""),
        token("{"),
        token("[]"),
        token("null"),
        token('"text"'),
        token("{}", header="[]"),
        token("{}", header=""),
        token("{} {}"),
        token("\ufeff{}"),
        token('{"a":1,"a":1}'),
        token('{"a":{"b":1,"b":2}}'),
        token("{}", header='{"alg":"ES256","alg":"none"}'),
        token('{"a":NaN}'),
        token('{"a":-Infinity}'),
        token('{"a":1e999}'),
        token('{"a":"\\ud800"}'),
        token('{"\\udfff":1}'),
        token('{"a":' + "9" * 5000 + "}"),
        token('{"a":' + "[" * 5000 + "]" * 5000 + "}"),
        token("[" * 11000),
        encoded(b'{"a":"\xff"}'),
        encoded("{}".encode("utf-16")),
        "a" * (MAX_TOKEN + 1),
        token('{"a":"' + "a" * MAX_TOKEN + '"}'),
    ],
)
def test_what_is_no_signed_jwt_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        read_token(text)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value", ["1.0", "1e3", '"1300819380"', "true", "null", "[]", "-1", "253402300800", "9" * 400]
)
def test_a_time_is_a_whole_number_of_seconds_within_the_calendar(name: str, value: str) -> None:
    with pytest.raises(InvalidToken, match=name):
        read_token(token(f'{{"{name}":{value}}}'))


@pytest.mark.parametrize("value", [0, 1300819380, 253402300799])
def test_whole_seconds_are_taken_as_times(value: int) -> None:
    assert read_token(token(json.dumps({"exp": value, "nbf": value}))).claims["exp"] == value


def test_a_token_of_the_longest_length_is_read() -> None:
    short = token('{"a":""}')
    room = (MAX_TOKEN - len(short)) * 3 // 4 - 2
    text = token('{"a":"' + "a" * room + '"}')
    assert MAX_TOKEN - 8 < len(text) <= MAX_TOKEN
    assert len(read_token(text).text("a")) == room


def test_a_refusal_shows_nothing_of_the_token() -> None:
    for text in (token('{"hunter2":NaN}'), "hunter2", token('{"exp":"hunter2"}')):
        with pytest.raises(InvalidToken) as refused:
            read_token(text)
        assert "hunter2" not in str(refused.value)


def read_or_refuse(text: str) -> None:
    try:
        read = read_token(text)
    except InvalidToken as refused:
        assert str(refused).isprintable()
    else:
        assert encode(decode_base64url(text.split(".")[1])) == text.split(".")[1]
        assert isinstance(read.claims, dict)
        json.dumps([read.claims, read.header], ensure_ascii=False, allow_nan=False).encode()


@given(st.text() | st.text("eyJ.=_-A\n", max_size=40))
def test_any_text_is_a_token_or_refused(text: str) -> None:
    read_or_refuse(text)


@given(
    st.integers(0, len(RFC_TOKEN)),
    st.integers(0, 3),
    st.text(max_size=2) | st.sampled_from("A._-="),
)
def test_a_mangled_token_is_a_token_or_refused(at: int, cut: int, more: str) -> None:
    read_or_refuse(RFC_TOKEN[:at] + more + RFC_TOKEN[at + cut :])


@given(st.dictionaries(st.text() | st.sampled_from(["exp", "aud"]), json_values, max_size=4))
def test_any_claims_are_read_as_they_are_or_refused(claims: dict[str, Any]) -> None:
    read_or_refuse(token(json.dumps(claims)))


@given(st.binary(max_size=200))
def test_base64url_has_one_form(raw: bytes) -> None:
    assert decode_base64url(encode(raw)) == raw


@given(st.text("ABQR_-", max_size=8))
def test_another_form_of_base64url_is_refused(text: str) -> None:
    try:
        raw = decode_base64url(text)
    except InvalidToken:
        return
    assert encode(raw) == text


@pytest.mark.parametrize(
    ("claims", "audiences"),
    [
        ({}, ()),
        ({"aud": "reg.example"}, ("reg.example",)),
        ({"aud": ""}, ("",)),
        ({"aud": []}, ()),
        ({"aud": ["b", "a"]}, ("b", "a")),
    ],
)
def test_audiences_are_one_text_or_a_list(
    claims: dict[str, Any], audiences: tuple[str, ...]
) -> None:
    assert audiences_of(claims) == audiences


@pytest.mark.parametrize("value", [None, 1, True, {}, {"a": 1}, [1], ["a", None], [["a"]]])
def test_other_audiences_are_refused(value: Any) -> None:
    with pytest.raises(InvalidToken, match="aud"):
        audiences_of({"aud": value})


def test_verified_claims_do_not_print_every_claim() -> None:
    verified = VerifiedClaims(
        issuer="https://id.example",
        subject="node",
        audiences=("reg.example",),
        expires_at=1,
        token_id="1",
        every={"email": "person@example.com"},
    )
    assert "person" not in repr(verified)
