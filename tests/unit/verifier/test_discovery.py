import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from fakes.any_json import json_values
from fakes.scripted import Answer, Scripted
from pullpass.errors import TransportError
from pullpass.http import Request, Response, run
from pullpass.jose import generate_key
from pullpass.verifier.discovery import MAX_KEYS, KeySet, fetch_keys

ISSUER = "https://id.example.com/t/6f1c/jwt/jfrog"
DISCOVERY = ("GET", f"{ISSUER}/.well-known/openid-configuration")
JWKS = ("GET", f"{ISSUER}/jwks")
DOCUMENT = {"issuer": ISSUER, "jwks_uri": JWKS[1]}
OURS = generate_key().public
KEY = OURS.jwk("ours")

members = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "alg", "use", "kid", "k", "d", "x5c"])
kinds = st.sampled_from(["EC", "RSA", "OKP", "AKP", "oct", "P-256", "P-521", "secp256k1", "AQAB"])


def reply(value: object, status: int = 200) -> Response:
    return Response(status=status, body=json.dumps(value).encode())


def issuer(discovery: Answer | None = None, jwks: Answer | None = None) -> Scripted:
    return Scripted({DISCOVERY: discovery or reply(DOCUMENT), JWKS: jwks or reply({"keys": [KEY]})})


def keys_of(*listed: Any) -> KeySet:
    return run(fetch_keys(ISSUER), issuer(jwks=reply({"keys": listed})))


def refused(played: Scripted) -> str:
    with pytest.raises(TransportError) as caught:
        run(fetch_keys(ISSUER), played)
    return str(caught.value)


def test_the_keys_are_found_where_the_discovery_document_says() -> None:
    played = issuer()
    assert run(fetch_keys(ISSUER), played) == {"ours": OURS}
    assert [request.url for request in played.asked] == [DISCOVERY[1], JWKS[1]]
    assert {request.max_body for request in played.asked} == {100 * 1024}


def test_the_keys_may_be_on_another_host() -> None:
    where = "https://www.example.com/certs"
    played = Scripted(
        {
            DISCOVERY: reply(DOCUMENT | {"jwks_uri": where}),
            ("GET", where): reply({"keys": [KEY]}),
        }
    )
    assert run(fetch_keys(ISSUER), played).keys() == {"ours"}


@pytest.mark.parametrize(
    "named",
    [
        f"{ISSUER}/",
        ISSUER.upper(),
        "https://id.example.com",
        "http" + ISSUER[5:],
        "",
        None,
        [ISSUER],
    ],
)
def test_a_document_of_another_issuer_is_refused(named: object) -> None:
    played = issuer(discovery=reply(DOCUMENT | {"issuer": named}))
    assert "names another issuer" in refused(played)
    assert len(played.asked) == 1


@pytest.mark.parametrize(
    "where",
    [
        "http://id.example.com/jwks",
        "http://127.0.0.1/jwks",
        "file:///etc/passwd",
        "//id.example.com/jwks",
        "/jwks",
        "https",
        "http://[::1/jwks",
        "",
        None,
        7,
        ["https://id.example.com/jwks"],
    ],
)
def test_keys_of_an_https_issuer_come_by_https(where: object) -> None:
    played = issuer(discovery=reply(DOCUMENT | {"jwks_uri": where}))
    assert "jwks_uri is not an https URL" in refused(played)
    assert len(played.asked) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_keys_of_an_issuer_on_plain_loopback_may_come_by_http(scheme: str) -> None:
    plain, where = "http://127.0.0.1:8441/nodes", f"{scheme}://127.0.0.1:8441/nodes/jwks"
    played = Scripted(
        {
            ("GET", f"{plain}/.well-known/openid-configuration"): reply(
                {"issuer": plain, "jwks_uri": where}
            ),
            ("GET", where): reply({"keys": [KEY]}),
        }
    )
    assert run(fetch_keys(plain), played).keys() == {"ours"}


@pytest.mark.parametrize("bent", [lambda bad: issuer(discovery=bad), lambda bad: issuer(jwks=bad)])
@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (Response(status=200, body=b"<html>Sign in"), "not JSON"),
        (Response(status=200, body=b""), "not JSON"),
        (Response(status=200, body=b"\xff\xfe\xfd"), "not JSON"),
        (Response(status=200, body=b"[" * 90_000), "not JSON"),
        (Response(status=200, body=b"1" * 90_000), "not JSON"),
        (Response(status=200, body=b"[]"), "not JSON objects"),
        (Response(status=200, body=b"null"), "not JSON objects"),
        (Response(status=302, headers={"location": "https://evil.example.com"}), "status 302"),
        (Response(status=404), "status 404"),
        (Response(status=500, body=b"secret detail"), "status 500"),
        (Response(status=200, body=b"x" * (10 << 20)), "too long"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_is_no_document_is_refused_without_a_word_of_it(
    bent: Callable[[Response], Scripted], bad: Response, says: str
) -> None:
    message = refused(bent(bad))
    assert says in message
    assert "secret detail" not in message


def test_a_failure_on_the_wire_is_passed_on() -> None:
    def down(_: Request) -> Response:
        raise TransportError("https://id.example.com: no answer (Connection refused)")

    assert "Connection refused" in refused(issuer(jwks=down))


@pytest.mark.parametrize("keys", [None, {}, "keys", {"keys": {}}, [KEY] * (MAX_KEYS + 1)])
def test_a_set_without_a_list_of_at_most_a_hundred_keys_is_refused(keys: object) -> None:
    assert "no list of at most 100 keys" in refused(issuer(jwks=reply({"keys": keys})))


@pytest.mark.parametrize("size", [1, MAX_KEYS])
def test_a_set_of_up_to_a_hundred_keys_is_taken(size: int) -> None:
    assert len(keys_of(*[KEY | {"kid": str(number)} for number in range(size)])) == size


@pytest.mark.parametrize(
    "foreign",
    [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "pq"},
        {"kty": "new", "kid": "new"},
        {"kty": ["EC"], "kid": "list"},
        {"kid": "bare"},
        KEY | {"kid": "curve", "crv": "secp256k1"},
        KEY | {"kid": "curve", "crv": "P-384"},
        KEY | {"kid": "point", "x": KEY["y"]},
        KEY | {"kid": "alg", "alg": "none"},
        KEY | {"kid": "alg", "alg": "HS256"},
        KEY | {"kid": "alg", "alg": ["ES256"]},
        KEY | {"kid": "alg", "alg": "RS256"},
        KEY | {"kid": "encrypts", "use": "enc"},
        KEY | {"kid": "private", "d": KEY["x"]},
        KEY | {"kid": ""},
        KEY | {"kid": 7},
        {name: value for name, value in KEY.items() if name != "kid"},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "shared"},
        json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key()))
        | {"kid": "short"},
        json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256K1()).public_key()))
        | {"kid": "bitcoin"},
        "text",
        None,
        [],
    ],
)
def test_a_foreign_key_does_not_spoil_its_set(foreign: Any) -> None:
    assert keys_of(foreign, KEY, foreign) == {"ours": OURS}
    assert "no usable key" in refused(issuer(jwks=reply({"keys": [foreign]})))


def test_keys_of_every_kind_that_verifies_are_taken() -> None:
    made = [
        RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key()),
        ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key()),
        ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP521R1()).public_key()),
        OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key()),
    ]
    listed = [json.loads(text) | {"kid": str(at)} for at, text in enumerate(made)]
    found = keys_of(*listed)
    rsa_names = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
    algorithms = {kid: key.algorithms for kid, key in found.items()}
    assert algorithms == {"0": rsa_names, "1": ("ES384",), "2": ("ES512",), "3": ("EdDSA",)}
    bound = keys_of(listed[0] | {"alg": "RS256"})
    assert bound["0"].algorithms == ("RS256",)


def test_an_empty_set_is_refused() -> None:
    assert "no usable key" in refused(issuer(jwks=reply({"keys": []})))


@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_document_gives_keys_or_our_error(body: bytes) -> None:
    for played in (
        issuer(discovery=Response(status=200, body=body)),
        issuer(jwks=Response(status=200, body=body)),
    ):
        refused(played)


@given(st.dictionaries(members, kinds | st.sampled_from(list(KEY.values())) | json_values))
def test_any_jwk_gives_a_key_or_none(changes: dict[str, Any]) -> None:
    assert keys_of(KEY | {"kid": "bent"} | changes, KEY)["ours"] == OURS


@given(json_values)
def test_any_place_of_the_keys_gives_keys_or_our_error(where: Any) -> None:
    refused(issuer(discovery=reply(DOCUMENT | {"jwks_uri": where})))
