"""Certificates around keys, and the bundles that registries take."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding

from fakes.der import as_pem, unknown
from pullpass.certificates import certify, load_certificates
from pullpass.errors import KeyStoreError
from pullpass.jose import generate_key

KEY = generate_key()


def of_another_kind(identifier: str) -> bytes:
    """Returns a certificate whose key has an identifier that nobody knows."""
    made = x509.load_pem_x509_certificate(certify(KEY, "a")).public_bytes(Encoding.DER)
    return as_pem(unknown(made, identifier), "CERTIFICATE").encode()


def certificate(key: Any, algorithm: Any = None) -> bytes:
    """Returns a certificate of a public key, issued by an authority that does not matter."""
    name = x509.Name([])
    start = x509.CertificateBuilder(name, name, key).serial_number(1)
    made = x509.load_pem_x509_certificate(certify(KEY, "start"))
    start = start.not_valid_before(made.not_valid_before_utc)
    start = start.not_valid_after(made.not_valid_after_utc)
    return start.sign(KEY.material, algorithm or hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize("name", ["a", "registry.example.com:5000", "n" * 64, "n" * 200, "é"])
def test_a_certificate_carries_the_key(name: str) -> None:
    made = certify(KEY, name)
    (key,) = load_certificates(made)
    assert key == KEY.public
    assert key.libtrust_id() == KEY.public.libtrust_id()
    read = x509.load_pem_x509_certificate(made)
    read.verify_directly_issued_by(read)
    assert read.subject.rfc4514_string() == f"CN={name[:64]}"
    assert (read.not_valid_after_utc - read.not_valid_before_utc).days >= 3650


def test_a_bundle_gives_its_keys_in_their_order_without_those_of_other_kinds() -> None:
    second = generate_key()
    bundle = b"".join(
        [
            certify(KEY, "a"),
            certificate(ed448.Ed448PrivateKey.generate().public_key()),
            certificate(x25519.X25519PrivateKey.generate().public_key()),
            certificate(rsa.generate_private_key(65537, 1024).public_key()),
            b"what people write between certificates\n",
            of_another_kind("2a8648ce3d030107"),  # the curve
            of_another_kind("2a8648ce3d0201"),  # the kind of key
            certify(second, "b"),
            certificate(ed25519.Ed25519PrivateKey.generate().public_key()),
        ]
    )
    keys = load_certificates(bundle)
    assert [key.algorithms for key in keys] == [("ES256",), ("ES256",), ("EdDSA",)]
    assert keys[:2] == (KEY.public, second.public)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hunter2",
        KEY.pem().reveal().encode(),
        as_pem(b"hunter2", "CERTIFICATE").encode(),
        certify(KEY, "a")[:200],
        certify(KEY, "a").replace(b"MII", b"MIJ"),
    ],
)
def test_what_is_no_bundle_is_refused(raw: bytes) -> None:
    with pytest.raises(KeyStoreError, match="bundle"):
        load_certificates(raw)
