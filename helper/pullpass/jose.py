"""The only door to jwt and cryptography: keys, signatures, fingerprints, certificates."""

import json
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from pullpass.claims import read_token
from pullpass.errors import KeyStoreError, TokenRefused
from pullpass.secret import Secret

ALGORITHM: Final = "ES256"
CERTIFICATE_YEARS: Final = 10  # registries never look at it, see PrivateKey.certificate
_VERIFIES: Final = {
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
}
ALGORITHMS: Final = tuple(name for names in _VERIFIES.values() for name in names)
_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_MIN_RSA_BITS: Final = 2048
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

_AnyPublic = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key which verifies.

    Attributes:
        algorithms: the JWS algorithms (RFC 7518 §3.1) that this key may be used with.
        material: the library's key; nobody outside this file touches it.
    """

    algorithms: tuple[str, ...]
    material: _AnyPublic = field(repr=False)

    def jwk(self, kid: str) -> dict[str, str]:
        """Returns the key as JWK (RFC 7517 §4) with the members that all relying parties take."""
        head = {"use": "sig", "alg": self.algorithms[0], "kid": kid}
        return {**self._members(), **head}

    def thumbprint(self) -> str:
        """Returns the RFC 7638 thumbprint, SHA-256 in base64url."""
        canonical = json.dumps(self._members(), sort_keys=True, separators=(",", ":"))
        return _base64url(sha256(canonical.encode()).digest())

    def libtrust_id(self) -> str:
        """Returns the fingerprint by which distribution names a key: docker/libtrust ``KeyID``."""
        der = self.material.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        text = b32encode(sha256(der).digest()[:30]).decode()
        return ":".join(text[at : at + 4] for at in range(0, len(text), 4))

    def _members(self) -> dict[str, str]:
        # RFC 7518 §6.2.1: coordinates are padded to the size of the curve's field.
        if not isinstance(self.material, ec.EllipticCurvePublicKey):
            raise TypeError("only EC keys are published")
        size = (self.material.curve.key_size + 7) // 8
        point = self.material.public_numbers()
        x, y = (_base64url(number.to_bytes(size, "big")) for number in (point.x, point.y))
        return {"crv": _CURVES[self.material.curve.name], "kty": "EC", "x": x, "y": y}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A P-256 key which signs. It cannot be printed; ``pem`` is for the key store alone."""

    material: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """Returns the half that may be shown."""
        return PublicKey(algorithms=(ALGORITHM,), material=self.material.public_key())

    def pem(self) -> Secret:
        """Returns the key as unencrypted PKCS #8."""
        raw = self.material.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Secret(raw.decode())

    def certificate(self, name: str) -> bytes:
        """Returns a self-signed certificate in PEM, the form in which registries take a key.

        distribution 2.8 reads the public key from it and checks nothing else on the kid path.
        """
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
        start = datetime.now(UTC) - timedelta(days=1)
        builder = x509.CertificateBuilder(subject, subject, self.material.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start)
        builder = builder.not_valid_after(start + timedelta(days=365 * CERTIFICATE_YEARS))
        return builder.sign(self.material, hashes.SHA256()).public_bytes(Encoding.PEM)


def generate_key() -> PrivateKey:
    """Returns a new P-256 key."""
    return PrivateKey(material=ec.generate_private_key(ec.SECP256R1()))


def load_private_key(pem: Secret) -> PrivateKey:
    """Reads what ``PrivateKey.pem`` wrote.

    Raises:
        KeyStoreError: for anything else.
    """
    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyStoreError("the private key is not an unencrypted PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise KeyStoreError("the private key is not an ECDSA P-256 key")
    return PrivateKey(material=key)


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


def read_jwk(jwk: Mapping[str, Any]) -> PublicKey | None:
    """Returns the key of a JWK, or None for one that is not for verifying signatures.

    One unknown key must not spoil its set (RFC 7517 §5), so nothing is raised.
    """
    if _PRIVATE_MEMBERS.intersection(jwk) or jwk.get("use", "sig") != "sig":
        return None
    kind = {name: value for name, value in jwk.items() if name != "alg"}  # PyJWT chokes on some
    try:
        key = jwt.PyJWK.from_dict(kind).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None  # PyJWT reads members before it checks their type
    found = _usable(key)
    if found is None or "alg" not in jwk:
        return found
    algorithms = tuple(name for name in found.algorithms if name == jwk["alg"])
    return replace(found, algorithms=algorithms) if algorithms else None


def sign(claims: Mapping[str, Any], key: PrivateKey, *, kid: str, type_: str = "JWT") -> Secret:
    """Returns claims as a JWT signed with ES256 (RFC 7519)."""
    headers = {"kid": kid, "typ": type_}
    return Secret(jwt.encode(dict(claims), key.material, algorithm=ALGORITHM, headers=headers))


def verify(
    token: Secret, key: PublicKey, algorithms: Collection[str] = ALGORITHMS
) -> dict[str, Any]:
    """Returns the claims of token if key signed it with one of algorithms; no claim is looked at.

    Raises:
        TokenRefused: if it did not.
        InvalidToken: if token is not a JWT.
    """
    unverified = read_token(token.reveal())
    usable = [name for name in key.algorithms if name in algorithms]
    if unverified.header_text("alg") not in usable:
        raise TokenRefused("its algorithm is not one that its key may be used with")
    if "crit" in unverified.header:  # RFC 7515 §4.1.11: no extension is understood here
        raise TokenRefused("its header demands an extension of JWS")
    try:
        jwt.PyJWS().decode_complete(token.reveal(), key.material, algorithms=usable)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise TokenRefused("its signature does not verify") from error
    return dict(unverified.claims)


def _key_of(certificate: x509.Certificate) -> PublicKey | None:
    try:
        return _usable(certificate.public_key())
    except UnsupportedAlgorithm:  # of a kind that the library does not know
        return None


def _usable(key: object) -> PublicKey | None:
    match key:
        case ec.EllipticCurvePublicKey():
            algorithms = _VERIFIES.get(("EC", _CURVES.get(key.curve.name, "")))
        case ed25519.Ed25519PublicKey():
            algorithms = _VERIFIES["OKP", "Ed25519"]
        case rsa.RSAPublicKey() if key.key_size >= _MIN_RSA_BITS:
            algorithms = _VERIFIES["RSA", ""]
        case _:
            return None
    return PublicKey(algorithms=algorithms, material=key) if algorithms else None


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
