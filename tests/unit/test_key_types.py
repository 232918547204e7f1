"""Every type of key that an issuer may have, as relying parties see it."""

import json
from functools import cache
from typing import Any, Final

import pytest

from fakes.jose import RFC_7517_RSA, RFC_7638_THUMBPRINT, RFC_8037
from pullpass.certificates import certify
from pullpass.claims import read_token
from pullpass.config.issuing import KEY_ALGORITHMS
from pullpass.errors import KeyStoreError, TokenRefused
from pullpass.jose import (
    ALGORITHMS,
    PrivateKey,
    PublicKey,
    generate_key,
    load_private_key,
    load_public_key,
    raw_public_key,
    sign,
)
from pullpass.relying import read_jwk, verify
from pullpass.secret import Secret

CLAIMS: Final = {"sub": "somebody"}
PHRASE: Final = Secret("twenty-characters-at-least")
VECTORS: Final = [
    ({name: RFC_7517_RSA[name] for name in ("kty", "n", "e")}, RFC_7638_THUMBPRINT),
    (RFC_8037, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),  # its appendix A.3
]
MEMBERS: Final = {
    "ecdsa": {"kty", "use", "alg", "kid", "crv", "x", "y"},
    "ed25519": {"kty", "use", "alg", "kid", "crv", "x"},
    "rsa": {"kty", "use", "alg", "kid", "n", "e"},
}


@cache
def key(type_: str) -> PrivateKey:
    return generate_key(type_)  # RSA takes its time


@pytest.fixture(params=KEY_ALGORITHMS)
def type_(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize(("jwk", "thumbprint"), VECTORS, ids=["RSA", "Ed25519"])
def test_a_thumbprint_is_the_one_of_its_specification(jwk: dict[str, str], thumbprint: str) -> None:
    found = read_jwk(jwk)
    assert found
    assert found.thumbprint() == thumbprint
    published = found.jwk(thumbprint)
    assert {name: published[name] for name in jwk} == jwk


def test_a_key_is_of_the_type_that_was_asked_for(type_: str) -> None:
    assert key(type_).public.type == type_


def test_a_jwk_has_the_members_that_all_relying_parties_take(type_: str) -> None:
    jwk = key(type_).public.jwk("the-kid")
    assert jwk.keys() == MEMBERS[type_.partition("-")[0]]
    assert (jwk["use"], jwk["alg"], jwk["kid"]) == ("sig", KEY_ALGORITHMS[type_][0], "the-kid")
    assert all(isinstance(value, str) for value in jwk.values())
    read = read_jwk(json.loads(json.dumps(jwk)))
    assert read
    assert read.thumbprint() == key(type_).public.thumbprint()


def test_a_token_says_its_algorithm_and_verifies_by_its_jwk_alone(type_: str) -> None:
    for algorithm in KEY_ALGORITHMS[type_]:
        token = sign(CLAIMS, key(type_), kid="a", algorithm=algorithm)
        assert read_token(token.reveal()).header == {"alg": algorithm, "kid": "a", "typ": "JWT"}
        published = read_jwk(key(type_).public.jwk("a", algorithm))
        assert published
        assert verify(token, published) == CLAIMS
        other = read_jwk(generate_key().public.jwk("a"))
        assert other
        with pytest.raises(TokenRefused):
            verify(token, other)


def test_a_key_whose_jwk_names_an_algorithm_verifies_no_other() -> None:
    token = sign(CLAIMS, key("rsa-2048"), kid="a", algorithm="RS384")
    published = read_jwk(key("rsa-2048").public.jwk("a"))
    assert published
    with pytest.raises(TokenRefused, match="algorithm"):
        verify(token, published)


def test_a_key_signs_no_algorithm_but_its_own(type_: str) -> None:
    own = key(type_).public.algorithms
    for algorithm in {*ALGORITHMS, "none", "HS256", "ES256K", ""}.difference(own):
        with pytest.raises(KeyStoreError, match=f"of type {type_} does not sign"):
            key(type_).sign(b"data", algorithm)


@pytest.mark.parametrize("phrase", [None, PHRASE], ids=["plain", "encrypted"])
def test_both_halves_are_read_as_they_were_written(type_: str, phrase: Secret | None) -> None:
    whole = key(type_)
    pem = whole.pem(phrase)
    assert load_private_key(pem, PHRASE).public == whole.public
    assert load_public_key(whole.public.pem()) == whole.public
    assert ("ENCRYPTED" in pem.reveal()) is (phrase is not None)


def test_a_certificate_can_be_had_of_every_type(type_: str) -> None:
    assert certify(key(type_), "a").startswith(b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize("text", ["", "hunter2", "\ud800", "-----BEGIN PUBLIC KEY-----"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(KeyStoreError, match="not a public key"):
        load_public_key(text)


@pytest.mark.parametrize("raw", [b"", b"a" * 31, b"a" * 33])
def test_an_ed25519_key_has_32_bytes(raw: bytes) -> None:
    with pytest.raises(KeyStoreError, match="not a public key"):
        raw_public_key(raw)
    assert isinstance(raw_public_key(b"a" * 32), PublicKey)
