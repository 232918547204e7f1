import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from pullpass.claims import VerifiedClaims
from pullpass.errors import InvalidToken, PullpassError, TokenRefused
from pullpass.jose import generate_key, sign
from pullpass.relying import read_jwk
from pullpass.secret import Secret
from pullpass.verifier.verify import (
    EXCHANGE_TYPE,
    LEEWAY,
    MAX_LIFETIME,
    MAX_SUBJECT,
    Trust,
    verify,
)

NOW = 1_800_000_000
ISSUER = "https://id.example.com/t/6f1c/jwt/jfrog"
AUDIENCE = "registry.example.com"
KEY, ROGUE = generate_key(), generate_key()
KID = KEY.public.thumbprint()
RSA = rsa.generate_private_key(65537, 2048)
RSA_KEY = read_jwk(json.loads(RSAAlgorithm.to_jwk(RSA.public_key())))
KEYS = {KID: KEY.public} | ({"rsa": RSA_KEY} if RSA_KEY else {})
TRUST = Trust(issuer=ISSUER, audiences=(AUDIENCE,), algorithms=("ES256", "RS256"))
CLAIMS = {
    "iss": ISSUER,
    "sub": "registry-pull",
    "aud": AUDIENCE,
    "iat": NOW,
    "nbf": NOW - 10,
    "exp": NOW + 300,
    "jti": "one",
}


def changed(**changes: Any) -> dict[str, Any]:
    claims = CLAIMS | changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(**changes: Any) -> Secret:
    return sign(changed(**changes), KEY, kid=KID)


def headed(**header: Any) -> Secret:
    """Returns a token by our key with these members of its header."""
    given = {"kid": KID, "typ": "JWT"} | header
    return Secret(jwt.encode(CLAIMS, KEY.material, algorithm="ES256", headers=given))


def unchecked(claims: dict[str, Any]) -> Secret:
    """Returns claims signed although no library would sign them."""
    payload, headers = json.dumps(claims).encode(), {"kid": KID}
    return Secret(jwt.PyJWS().encode(payload, KEY.material, "ES256", headers=headers))


def part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def mac(secret: bytes, kid: str = KID) -> Secret:
    text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{part(CLAIMS)}"
    tag = urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha256")).rstrip(b"=")
    return Secret(f"{text}.{tag.decode()}")


def refusal(token: Secret, trust: Trust = TRUST, now: float = NOW) -> str:
    with pytest.raises(TokenRefused) as caught:
        verify(token, trust, KEYS, now)
    return str(caught.value)


def test_a_good_token_gives_its_claims() -> None:
    assert verify(signed(extra=[1]), TRUST, KEYS, NOW) == VerifiedClaims(
        issuer=ISSUER,
        subject="registry-pull",
        audiences=(AUDIENCE,),
        expires_at=NOW + 300,
        token_id="one",
        every=CLAIMS | {"extra": [1]},
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"jti": None},
        {"iat": None},
        {"nbf": None},
        {"jti": 7},
        {"aud": [AUDIENCE]},
        {"aud": ["https://kubernetes.default.svc", AUDIENCE]},
        {"sub": "repo:acme/app:ref:refs/heads/main"},
        {"sub": "s" * MAX_SUBJECT},
        {"exp": NOW - LEEWAY + 1},
        {"nbf": NOW + LEEWAY},
        {"iat": NOW + LEEWAY},
        {"exp": NOW + MAX_LIFETIME},
    ],
    ids=lambda claims: json.dumps(claims)[:50],
)
def test_what_verifies(claims: dict[str, Any]) -> None:
    assert verify(signed(**claims), TRUST, KEYS, NOW).issuer == ISSUER


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"iss": f"{ISSUER}/"}, f"its iss is not exactly {ISSUER}"),
        ({"iss": ISSUER[:-1]}, "its iss is not exactly"),
        ({"iss": None}, "its iss is not exactly"),
        ({"aud": "other.example.com"}, f"its aud is other.example.com, needs {AUDIENCE}"),
        ({"aud": f"{AUDIENCE}:443"}, f"its aud is {AUDIENCE}:443, needs {AUDIENCE}"),
        ({"aud": ["a", "b"]}, "its aud is a and b, needs"),
        ({"aud": []}, "its aud is missing"),
        ({"aud": None}, "its aud is missing"),
        ({"aud": ""}, "its aud is"),
        ({"sub": None}, "it has no usable sub"),
        ({"sub": ""}, "it has no usable sub"),
        ({"sub": 7}, "it has no usable sub"),
        ({"sub": "a\nb"}, "it has no usable sub"),
        ({"sub": "s" * (MAX_SUBJECT + 1)}, "it has no usable sub"),
        ({"exp": None}, "it has no exp"),
        ({"exp": NOW - LEEWAY}, "it expired 60s ago by this clock: compare the clocks"),
        ({"nbf": NOW + LEEWAY + 1}, "its nbf is 61s ahead of this clock: compare the clocks"),
        ({"iat": NOW + LEEWAY + 1}, "its iat is 61s ahead of this clock: compare the clocks"),
        ({"exp": NOW + MAX_LIFETIME + 1}, "it lives longer than 86400s"),
        ({"exp": NOW + MAX_LIFETIME + 1, "iat": None}, "it lives longer than 86400s"),
        ({"iat": NOW - MAX_LIFETIME}, "it lives longer than 86400s"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_a_wrong_claim_is_named(claims: dict[str, Any], says: str) -> None:
    assert says in refusal(signed(**claims))


@pytest.mark.parametrize("issuer", [[ISSUER], {ISSUER: 1}, 7, True])
def test_an_iss_of_another_kind_is_refused(issuer: object) -> None:
    assert "its iss is not exactly" in refusal(unchecked(CLAIMS | {"iss": issuer}))


@pytest.mark.parametrize("claims", [{"aud": 7}, {"aud": {"a": 1}}, {"aud": [AUDIENCE, 7]}])
def test_an_aud_of_another_kind_is_no_token(claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        verify(signed(**claims), TRUST, KEYS, NOW)


@pytest.mark.parametrize("claims", [{"exp": "1"}, {"exp": 1.5}, {"nbf": True}, {"iat": -1}])
def test_times_are_whole_seconds(claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        verify(signed(**claims), TRUST, KEYS, NOW)


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (NOW + 600, "it expired 300s ago by this clock: compare the clocks"),
        (NOW - 300, "its nbf is 290s ahead of this clock: compare the clocks"),
    ],
)
def test_a_clock_that_is_five_minutes_off_is_told_so(now: float, says: str) -> None:
    assert says in refusal(signed(), now=now)


def test_without_nbf_a_slow_clock_is_told_by_iat() -> None:
    assert "its iat is 300s ahead of this clock" in refusal(signed(nbf=None), now=NOW - 300)


def test_a_kid_that_the_issuer_does_not_publish_is_refused() -> None:
    token = sign(CLAIMS, KEY, kid="unknown")
    assert refusal(token) == f"issuer {ISSUER} publishes no key of its kid"
    assert "publishes no key" in refusal(Secret(jwt.encode(CLAIMS, KEY.material, "ES256")))


def test_another_key_under_a_kid_that_is_published_is_refused() -> None:
    assert refusal(sign(CLAIMS, ROGUE, kid=KID)) == "its signature does not verify"


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": ROGUE.public.jwk(KID)},
        {"jku": "https://evil.example.com/jwks"},
        {"x5u": "https://evil.example.com/cert"},
        {"x5c": ["AAAA"]},
    ],
    ids=["jwk", "jku", "x5u", "x5c"],
)
def test_keys_that_a_token_brings_are_not_looked_at(header: dict[str, Any]) -> None:
    assert verify(headed(**header), TRUST, KEYS, NOW).issuer == ISSUER
    forged = jwt.encode(CLAIMS, ROGUE.material, "ES256", headers={"kid": KID, **header})
    assert refusal(Secret(forged)) == "its signature does not verify"


@pytest.mark.parametrize("signature", ["", "AAAA"])
@pytest.mark.parametrize("name", ["none", "None", "NONE", "", "HS256", "ES384", "RS256", "PS256"])
def test_an_algorithm_that_is_not_its_keys_is_refused(name: str, signature: str) -> None:
    token = Secret(f"{part({'alg': name, 'kid': KID})}.{part(CLAIMS)}.{signature}")
    with pytest.raises((TokenRefused, InvalidToken)):
        verify(token, TRUST, KEYS, NOW)


@pytest.mark.parametrize("form", [Encoding.PEM, Encoding.DER])
def test_a_public_key_is_no_shared_secret(form: Encoding) -> None:
    for kid, material in ((KID, KEY.public.material), ("rsa", RSA.public_key())):
        shown = material.public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
        assert "algorithm" in refusal(mac(shown, kid))


def test_an_algorithm_that_the_connection_does_not_allow_is_refused() -> None:
    weak = Secret(jwt.encode(CLAIMS, RSA, "RS512", headers={"kid": "rsa"}))
    assert "algorithm" in refusal(weak)
    good = Secret(jwt.encode(CLAIMS, RSA, "RS256", headers={"kid": "rsa"}))
    assert verify(good, TRUST, KEYS, NOW).issuer == ISSUER
    only = Trust(issuer=ISSUER, audiences=(AUDIENCE,), algorithms=("RS256",))
    assert "algorithm" in refusal(signed(), only)


def test_an_exchanged_credential_is_no_identity() -> None:
    token = sign(CLAIMS, KEY, kid=KID, type_=EXCHANGE_TYPE)
    assert refusal(token) == "it is an exchanged credential, not an identity"


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "x", None])
def test_an_extension_that_must_be_understood_is_refused(crit: Any) -> None:
    header = {"alg": "ES256", "kid": KID, "crit": crit}
    token = Secret(f"{part(header)}.{part(CLAIMS)}.AAAA")
    assert "crit" in refusal(token)


def test_no_trust_is_no_trust_in_everything() -> None:
    token = signed()
    with pytest.raises(TokenRefused, match="no key"):
        verify(token, TRUST, {}, NOW)
    nobody = Trust(issuer=ISSUER, audiences=(), algorithms=("ES256",))
    assert "aud" in refusal(token, nobody)
    nothing = Trust(issuer=ISSUER, audiences=(AUDIENCE,), algorithms=())
    assert "algorithm" in refusal(token, nothing)


@given(st.text() | st.text("abc.-_=", max_size=40) | st.from_regex(r"\A[\w-]*\.[\w-]*\.[\w-]*\Z"))
def test_no_text_is_believed(text: str) -> None:
    with pytest.raises(PullpassError):
        verify(Secret(text), TRUST, KEYS, NOW)


TOKEN = signed().reveal()


@given(
    at=st.integers(0, len(TOKEN)),
    drop=st.integers(0, 3),
    put=st.text("abcXYZ019-_.=", max_size=3) | st.text(max_size=3),
)
def test_a_mutated_token_is_refused_by_our_error(at: int, drop: int, put: str) -> None:
    text = TOKEN[:at] + put + TOKEN[at + drop :]
    if text == TOKEN:
        assert verify(Secret(text), TRUST, KEYS, NOW).token_id == "one"
        return
    with pytest.raises((TokenRefused, InvalidToken)) as caught:
        verify(Secret(text), TRUST, KEYS, NOW)
    assert TOKEN.split(".")[2] not in str(caught.value)


claims_of_any_kind = st.dictionaries(
    st.sampled_from(list(CLAIMS)),
    st.none()
    | st.booleans()
    | st.integers(NOW - 10**6, NOW + 10**6)
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3) | st.just(AUDIENCE), max_size=3)
    | st.sampled_from(list(CLAIMS.values())),
)


@given(claims_of_any_kind)
def test_whatever_is_signed_is_verified_or_refused_by_our_error(changes: dict[str, Any]) -> None:
    token = unchecked(CLAIMS | changes)
    try:
        found = verify(token, TRUST, KEYS, NOW)
    except (TokenRefused, InvalidToken):
        return
    assert found.issuer == ISSUER
    assert AUDIENCE in found.audiences
    assert found.subject
    assert NOW - LEEWAY < found.expires_at <= NOW + MAX_LIFETIME + LEEWAY
