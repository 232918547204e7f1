import hmac
import json
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from fakes.der import as_pem, unknown
from pullpass.certificates import certify
from pullpass.errors import InvalidToken, KeyStoreError, TokenRefused
from pullpass.jose import ALGORITHMS, PrivateKey, PublicKey, generate_key, load_private_key, sign
from pullpass.relying import read_jwk, verify
from pullpass.secret import Secret

# RFC 7515, appendices A.2 and A.3
RFC_CLAIMS: Final = (
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
RFC_RS256: Final = (
    f"eyJhbGciOiJSUzI1NiJ9.{RFC_CLAIMS}."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
    "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
    "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
RFC_ES256: Final = (
    f"eyJhbGciOiJFUzI1NiJ9.{RFC_CLAIMS}."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
RFC_RSA: Final = {
    "kty": "RSA",
    "e": "AQAB",
    "n": (
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4"
        "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
        "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX"
        "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    ),
}
RFC_EC: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
# RFC 7517, appendix A.1; RFC 7638 §3.1 takes the RSA key's thumbprint
RFC_7517_EC: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "use": "enc",
    "kid": "1",
}
RFC_7517_RSA: Final = {
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
        "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
        "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
        "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ),
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
RFC_7638_THUMBPRINT: Final = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
# RFC 9449 §4.2 and §6.1: a P-256 key and its thumbprint
RFC_9449_EC: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
}
RFC_9449_THUMBPRINT: Final = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
# RFC 8037, appendix A.2
RFC_8037: Final = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
# SEC 1 §2.3.3 and RFC 5480: what stands before x and y of a P-256 key in DER
SPKI: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
# Private scalars of keys with such a coordinate, the smallest of each curve.
LEADING_ZERO: Final = [
    (ec.SECP256R1(), "x", 379),
    (ec.SECP256R1(), "y", 43),
    (ec.SECP384R1(), "x", 197),
    (ec.SECP384R1(), "y", 176),
]
MATERIAL: Final = ec.generate_private_key(ec.SECP256R1())
KEY: Final = PrivateKey(material=MATERIAL)
CLAIMS: Final = {"iss": "https://id.example.com", "sub": "node", "exp": 1_800_000_300}


def encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_of(scalar: int, curve: ec.EllipticCurve = MATERIAL.curve) -> PrivateKey:
    return PrivateKey(material=ec.derive_private_key(scalar, curve))


def public(jwk: Mapping[str, Any]) -> PublicKey:
    found = read_jwk(jwk)
    assert found
    return found


def thumbprint(members: Mapping[str, str]) -> str:
    """Does what RFC 7638 §3 says, by other means than the product."""
    text = ",".join(f'"{name}":"{members[name]}"' for name in sorted(members))
    return encode(sha256(f"{{{text}}}".encode()).digest())


def libtrust(x: bytes, y: bytes) -> str:
    """Does what libtrust's ``keyIDFromCryptoKey`` does, by other means than the product."""
    text = b32encode(sha256(SPKI + x + y).digest()[:30]).decode()
    return ":".join(map("".join, zip(*[iter(text)] * 4, strict=True)))


def message(header: Mapping[str, Any], claims: Mapping[str, Any] = CLAIMS) -> str:
    return ".".join(encode(json.dumps(part).encode()) for part in (header, claims))


def signed(header: Mapping[str, Any], key: PrivateKey = KEY) -> Secret:
    """Returns CLAIMS signed with ES256 whatever the header says (RFC 7518 §3.4)."""
    text = message(header)
    return Secret(f"{text}.{encode(key.sign(text.encode(), 'ES256'))}")


def pem(key: Any, *, password: bytes = b"") -> str:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    raw: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return raw.decode()


def with_another_curve(key: PrivateKey) -> str:
    """Returns key as PEM under the name of a curve that nobody has."""
    raw = key.material.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return as_pem(unknown(raw, "2a8648ce3d030107"))


def test_the_tokens_of_rfc_7515_verify() -> None:
    expected = {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    assert verify(Secret(RFC_ES256), public(RFC_EC)) == expected
    assert verify(Secret(RFC_RS256), public(RFC_RSA)) == expected


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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
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


def test_a_private_key_is_read_as_it_was_written() -> None:
    assert load_private_key(KEY.pem()).public == KEY.public
    assert KEY.pem().reveal().startswith("-----BEGIN PRIVATE KEY-----\n")


def test_a_private_key_cannot_print_itself() -> None:
    secret = MATERIAL.private_numbers().private_value
    assert str(secret) not in repr(KEY)
    assert repr(KEY) == "PrivateKey()"
    assert "BEGIN" not in f"{KEY.pem()}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a private key"),
        ("hunter2", "not a private key"),
        ("\ud800", "not a private key"),
        (as_pem(b"hunter2"), "not a private key"),
        (KEY.pem().reveal()[:100], "not a private key"),
        (KEY.pem().reveal().replace("PRIVATE", "PUBLIC"), "not a private key"),
        (pem(KEY.material, password=b"hunter2"), "name its passphrase"),
        (with_another_curve(KEY), "not a private key"),
        (certify(KEY, "a").decode(), "not a private key"),
        (pem(ec.derive_private_key(3, ec.SECP256K1())), "nothing here signs with"),
        (pem(dsa.generate_private_key(2048)), "nothing here signs with"),
        (pem(rsa.generate_private_key(65537, 1024)), "nothing here signs with"),
    ],
    ids=[f"case {number}" for number in range(12)],
)
def test_what_is_no_private_key_of_ours_is_refused(text: str, reason: str) -> None:
    with pytest.raises(KeyStoreError, match=reason) as refused:
        load_private_key(Secret(text))
    assert "hunter2" not in str(refused.value)


@given(st.integers(0, 300), st.integers(0, 60), st.text(max_size=3))
def test_a_damaged_private_key_is_a_key_or_refused(at: int, cut: int, more: str) -> None:
    text = KEY.pem().reveal()
    try:
        found = load_private_key(Secret(text[:at] + more + text[at + cut :]))
    except KeyStoreError:
        return
    assert found.public.algorithms == ("ES256",)
