"""Certificates around keys, for registries that take a key in no other form."""

from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from pullpass.errors import KeyStoreError
from pullpass.jose import PrivateKey, PublicKey, usable

YEARS: Final = 10  # registries never look at it, see ``certify``


def certify(key: PrivateKey, name: str) -> bytes:
    """Returns a self-signed certificate of key in PEM.

    distribution 2.8 reads the public key from it and checks nothing else on the kid path.
    """
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(subject, subject, key.material.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start)
    builder = builder.not_valid_after(start + timedelta(days=365 * YEARS))
    digest = None if isinstance(key.material, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key.material, digest).public_bytes(Encoding.PEM)


def load_certificates(pem: bytes) -> tuple[PublicKey, ...]:
    """Returns the keys of the certificates in pem, in their order, without those of other kinds.

    Raises:
        KeyStoreError: if pem is not a bundle of certificates.
    """
    try:
        keys = [_key_of(one) for one in x509.load_pem_x509_certificates(pem)]
    except ValueError as error:
        raise KeyStoreError("not a bundle of PEM certificates") from error
    return tuple(filter(None, keys))


def _key_of(certificate: x509.Certificate) -> PublicKey | None:
    try:
        return usable(certificate.public_key())
    except UnsupportedAlgorithm:  # of a kind that the library does not know
        return None
