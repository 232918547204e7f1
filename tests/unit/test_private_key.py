from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from fakes.der import as_pem, unknown
from fakes.jose import KEY, MATERIAL
from pullpass.certificates import certify
from pullpass.errors import KeyStoreError
from pullpass.jose import PrivateKey, load_private_key
from pullpass.secret import Secret


def pem(key: Any, *, password: bytes = b"") -> str:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    raw: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return raw.decode()


def with_another_curve(key: PrivateKey) -> str:
    """Returns key as PEM under the name of a curve that nobody has."""
    raw = key.material.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return as_pem(unknown(raw, "2a8648ce3d030107"))


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
