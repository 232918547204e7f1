from base64 import b32encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from fakes.any_json import json_values
from fakes.jose import (
    CLAIMS,
    KEY,
    MATERIAL,
    RFC_7517_EC,
    RFC_7517_RSA,
    RFC_7638_THUMBPRINT,
    RFC_8037,
    RFC_9449_EC,
    RFC_9449_THUMBPRINT,
    RFC_EC,
    RFC_RS256,
    RFC_RSA,
    decode,
    encode,
    public,
)
from pullpass.errors import TokenRefused
from pullpass.jose import ALGORITHMS, PrivateKey, sign
from pullpass.relying import read_jwk, verify
from pullpass.secret import Secret

# SEC 1 §2.3.3 and RFC 5480: what stands before x and y of a P-256 key in DER
SPKI: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
# Private scalars of keys with such a coordinate, the smallest of each curve.
LEADING_ZERO: Final = [
    (ec.SECP256R1(), "x", 379),
    (ec.SECP256R1(), "y", 43),
    (ec.SECP384R1(), "x", 197),
    (ec.SECP384R1(), "y", 176),
]


def key_of(scalar: int, curve: ec.EllipticCurve = MATERIAL.curve) -> PrivateKey:
    return PrivateKey(material=ec.derive_private_key(scalar, curve))


def thumbprint(members: Mapping[str, str]) -> str:
    """Does what RFC 7638 §3 says, by other means than the product."""
    text = ",".join(f'"{name}":"{members[name]}"' for name in sorted(members))
    return encode(sha256(f"{{{text}}}".encode()).digest())


def libtrust(x: bytes, y: bytes) -> str:
    """Does what libtrust's ``keyIDFromCryptoKey`` does, by other means than the product."""
    text = b32encode(sha256(SPKI + x + y).digest()[:30]).decode()
    return ":".join(map("".join, zip(*[iter(text)] * 4, strict=True)))


def test_the_keys_of_rfc_7517_are_read_unless_they_are_for_encryption() -> None:
    assert read_jwk(RFC_7517_EC) is None
    assert public(RFC_7517_RSA).algorithms == ("RS256",)
    assert public({**RFC_7517_EC, "use": "sig"}).algorithms == ("ES256",)


def test_the_key_of_rfc_8037_is_read() -> None:
    assert public(RFC_8037).algorithms == ("EdDSA",)


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    rsa_members = {name: RFC_7517_RSA[name] for name in ("e", "kty", "n")}
    assert thumbprint(rsa_members) == RFC_7638_THUMBPRINT
    assert thumbprint(RFC_9449_EC) == RFC_9449_THUMBPRINT
    assert public(RFC_9449_EC).thumbprint() == RFC_9449_THUMBPRINT


@given(st.integers(1, 2**200))
def test_a_key_is_named_and_published_as_its_specifications_say(scalar: int) -> None:
    key = key_of(scalar).public
    jwk = key.jwk("a")
    assert thumbprint({name: jwk[name] for name in ("crv", "kty", "x", "y")}) == key.thumbprint()
    x, y = decode(jwk["x"]), decode(jwk["y"])
    assert (len(x), len(y)) == (32, 32)
    assert libtrust(x, y) == key.libtrust_id()
    assert public(jwk).thumbprint() == key.thumbprint()


@pytest.mark.parametrize(("curve", "coordinate", "scalar"), LEADING_ZERO)
def test_a_coordinate_with_leading_zeros_is_padded(
    curve: ec.EllipticCurve, coordinate: str, scalar: int
) -> None:
    key = key_of(scalar, curve)
    jwk = key.public.jwk("a")
    raw = decode(jwk[coordinate])
    assert (len(raw), raw[0]) == (curve.key_size // 8, 0)
    assert thumbprint({name: jwk[name] for name in ("crv", "kty", "x", "y")}) == (
        key.public.thumbprint()
    )
    assert verify(sign(CLAIMS, key, kid="a"), public(jwk)) == CLAIMS


def test_a_jwk_has_the_members_that_all_relying_parties_take_and_no_other() -> None:
    jwk = KEY.public.jwk("the-kid")
    assert jwk.keys() == {"kty", "use", "alg", "kid", "crv", "x", "y"}
    assert (jwk["kty"], jwk["use"], jwk["alg"]) == ("EC", "sig", "ES256")
    assert (jwk["kid"], jwk["crv"]) == ("the-kid", "P-256")


@pytest.mark.parametrize(("curve", "name"), [(ec.SECP384R1(), "P-384"), (ec.SECP521R1(), "P-521")])
def test_another_curve_is_published_under_its_own_name(curve: ec.EllipticCurve, name: str) -> None:
    key = PrivateKey(material=ec.derive_private_key(3, curve)).public
    jwk = key.jwk("a")
    assert (jwk["crv"], len(decode(jwk["x"]))) == (name, (curve.key_size + 7) // 8)
    assert public(jwk) == key


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
@pytest.mark.parametrize("jwk", [RFC_EC, RFC_RSA, RFC_8037])
def test_a_jwk_with_a_private_member_is_refused(jwk: Mapping[str, str], member: str) -> None:
    assert read_jwk({**jwk, member: "AQ"}) is None


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "EC"},
        {"kty": "oct"},
        {"kty": ["EC"]},
        {**RFC_EC, "use": "enc"},
        {**RFC_EC, "use": None},
        {**RFC_EC, "use": ["sig"]},
        {**RFC_EC, "alg": "ES384"},
        {**RFC_EC, "alg": "HS256"},
        {**RFC_EC, "alg": "none"},
        {**RFC_EC, "alg": None},
        {**RFC_EC, "alg": ["ES256"]},
        {**RFC_EC, "crv": "P-384"},
        {**RFC_EC, "crv": "secp256k1"},
        {**RFC_EC, "crv": 256},
        {**RFC_EC, "x": RFC_EC["y"]},
        {**RFC_EC, "x": "AQ"},
        {**RFC_EC, "x": 1},
        {**RFC_EC, "x": ""},
        {**RFC_EC, "x": "é"},
        {**RFC_RSA, "alg": "ES256"},
        {**RFC_RSA, "e": ""},
        {**RFC_RSA, "e": "AA"},
        {**RFC_RSA, "n": "AQAB"},
        {**RFC_RSA, "n": RFC_RSA["n"][:100]},
        {**RFC_8037, "crv": "X25519"},
        {**RFC_8037, "crv": "Ed448"},
        {**RFC_8037, "x": "AQ"},
    ],
    ids=repr,
)
def test_a_jwk_that_verifies_nothing_is_passed_over(jwk: Mapping[str, Any]) -> None:
    assert read_jwk(jwk) is None


def test_a_jwk_s_algorithm_binds_its_key() -> None:
    assert set(public(RFC_RSA).algorithms) >= {"RS256", "RS512", "PS256"}
    assert public({**RFC_RSA, "alg": "PS256"}).algorithms == ("PS256",)
    with pytest.raises(TokenRefused, match="algorithm"):
        verify(Secret(RFC_RS256), public({**RFC_RSA, "alg": "PS256"}))


members = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "alg", "use", "kid", "key_ops"])
member_values = (
    json_values
    | st.sampled_from(["EC", "RSA", "OKP", "oct", "P-256", "P-521", "Ed25519", "ES256", "none"])
    | st.binary(max_size=40).map(encode)
)


@given(
    st.sampled_from([{}, RFC_EC, RFC_RSA, RFC_8037]),
    st.dictionaries(members, member_values, max_size=4),
)
def test_any_jwk_is_a_key_or_passed_over(
    jwk: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    found = read_jwk({**jwk, **changes})
    assert found is None or (found.algorithms and set(found.algorithms) <= set(ALGORITHMS))
