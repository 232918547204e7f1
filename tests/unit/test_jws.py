import hmac
import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from fakes.any_json import json_values
from fakes.jose import (
    CLAIMS,
    KEY,
    MATERIAL,
    RFC_8037,
    RFC_EC,
    RFC_ES256,
    RFC_RS256,
    RFC_RSA,
    decode,
    encode,
    public,
)
from pullpass.errors import InvalidToken, TokenRefused
from pullpass.jose import ALGORITHMS, PrivateKey, generate_key, sign
from pullpass.relying import verify
from pullpass.secret import Secret


def message(header: Mapping[str, Any], claims: Mapping[str, Any] = CLAIMS) -> str:
    return ".".join(encode(json.dumps(part).encode()) for part in (header, claims))


def signed(header: Mapping[str, Any], key: PrivateKey = KEY) -> Secret:
    """Returns CLAIMS signed with ES256 whatever the header says (RFC 7518 §3.4)."""
    text = message(header)
    return Secret(f"{text}.{encode(key.sign(text.encode(), 'ES256'))}")


def test_the_tokens_of_rfc_7515_verify() -> None:
    expected = {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    assert verify(Secret(RFC_ES256), public(RFC_EC)) == expected
    assert verify(Secret(RFC_RS256), public(RFC_RSA)) == expected


def test_what_is_signed_verifies_and_says_who_signed_it() -> None:
    token = sign(CLAIMS, KEY, kid="a", type_="other+jwt")
    header = json.loads(decode(token.reveal().split(".")[0]))
    assert header == {"alg": "ES256", "kid": "a", "typ": "other+jwt"}
    assert verify(token, KEY.public) == CLAIMS
    assert json.loads(decode(sign(CLAIMS, KEY, kid="a").reveal().split(".")[0]))["typ"] == "JWT"


def test_a_plain_signature_verifies() -> None:
    assert verify(signed({"alg": "ES256"}), KEY.public) == CLAIMS


@pytest.mark.parametrize("at", range(3))
def test_a_token_of_which_a_part_was_exchanged_is_refused(at: int) -> None:
    parts = signed({"alg": "ES256", "kid": "a"}).reveal().split(".")
    others = signed({"alg": "ES256", "kid": "b"}, generate_key()).reveal().split(".")
    others[1] = encode(json.dumps({**CLAIMS, "sub": "root"}).encode())
    parts[at] = others[at]
    with pytest.raises(TokenRefused, match="does not verify"):
        verify(Secret(".".join(parts)), KEY.public)


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_signature_with_one_byte_changed_is_refused(at: int, change: int) -> None:
    text, _, signature = signed({"alg": "ES256"}).reveal().rpartition(".")
    raw = bytearray(decode(signature))
    raw[at] ^= change
    with pytest.raises(TokenRefused):
        verify(Secret(f"{text}.{encode(bytes(raw))}"), KEY.public)


@pytest.mark.parametrize("signature", [b"\0", b"\0" * 64, b"\1" * 63, b"\1" * 65, b"\1" * 128])
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    token = Secret(f"{message({'alg': 'ES256'})}.{encode(signature)}")
    with pytest.raises(TokenRefused):
        verify(token, KEY.public)


def test_another_key_s_signature_is_refused_whatever_the_kid_says() -> None:
    token = sign(CLAIMS, generate_key(), kid=KEY.public.thumbprint())
    with pytest.raises(TokenRefused, match="does not verify"):
        verify(token, KEY.public)


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", None, 1, ["ES256"], "ES384"])
def test_an_algorithm_that_is_not_its_key_s_is_refused(name: object) -> None:
    with pytest.raises(TokenRefused, match="algorithm"):
        verify(signed({"alg": name}), KEY.public)
    with pytest.raises(TokenRefused, match="algorithm"):
        verify(signed({"alg": name}), KEY.public, ["none", "HS256", "ES384"])


def test_a_header_without_an_algorithm_is_refused() -> None:
    with pytest.raises(TokenRefused, match="algorithm"):
        verify(signed({}), KEY.public)


def test_an_unsigned_token_is_refused() -> None:
    with pytest.raises(InvalidToken):
        verify(Secret(f"{message({'alg': 'none'})}."), KEY.public)


@pytest.mark.parametrize(
    "form",
    [
        lambda key: key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        lambda key: key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        lambda key: key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        lambda key: key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        lambda _: json.dumps(KEY.public.jwk("a")).encode(),
        lambda _: b"",
    ],
)
def test_a_public_key_is_no_shared_secret(
    form: Callable[[ec.EllipticCurvePublicKey], bytes],
) -> None:
    text = message({"alg": "HS256"})
    secret = form(MATERIAL.public_key())
    mac = encode(hmac.new(secret, text.encode(), sha256).digest())
    for algorithms in (ALGORITHMS, ["HS256"], ["ES256", "HS256"]):
        with pytest.raises(TokenRefused, match="algorithm"):
            verify(Secret(f"{text}.{mac}"), KEY.public, algorithms)


def test_the_verifier_s_algorithms_count_too() -> None:
    with pytest.raises(TokenRefused, match="algorithm"):
        verify(sign(CLAIMS, KEY, kid="a"), KEY.public, ["RS256"])


def test_a_key_in_the_header_is_not_believed() -> None:
    other = generate_key()
    header = {"alg": "ES256", "jwk": other.public.jwk("a"), "jku": "https://evil.example.com"}
    with pytest.raises(TokenRefused, match="does not verify"):
        verify(signed(header, other), KEY.public)


@pytest.mark.parametrize("critical", [["exp"], ["b64"], [], "exp", None])
def test_an_extension_that_must_be_understood_is_refused(critical: object) -> None:
    with pytest.raises(TokenRefused, match="extension"):
        verify(signed({"alg": "ES256", "crit": critical, "b64": True}), KEY.public)


def test_a_refusal_shows_nothing_of_the_token() -> None:
    token = sign({"sub": "hunter2"}, generate_key(), kid="hunter2")
    with pytest.raises(TokenRefused) as refused:
        verify(token, KEY.public)
    assert "hunter2" not in str(refused.value)
    assert token.reveal().rpartition(".")[2] not in str(refused.value)


def test_an_ed25519_signature_verifies() -> None:
    material = ed25519.Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
    raw = material.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = message({"alg": "EdDSA"})
    token = Secret(f"{text}.{encode(material.sign(text.encode()))}")
    assert verify(token, public({**RFC_8037, "x": encode(raw)})) == CLAIMS


@given(st.text() | st.text("eyJ.=_-A", max_size=60))
def test_any_text_verifies_or_is_refused(text: str) -> None:
    with pytest.raises((InvalidToken, TokenRefused)):
        verify(Secret(text), KEY.public)


@given(json_values, json_values)
def test_any_header_verifies_or_is_refused(name: object, value: object) -> None:
    try:
        claims = verify(signed({"alg": "ES256", "kid": name, "crit": value}), KEY.public)
    except (InvalidToken, TokenRefused):
        return
    assert claims == CLAIMS
