"""Keys, signatures and fingerprints: what whoever signs needs.

Whoever pulls starts with this, so PyJWT, which takes 30 ms to load, stands in ``relying``.
"""

import json
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pullpass.errors import KeyStoreError
from pullpass.secret import Secret

_VERIFIES: Final = {
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
}
ALGORITHMS: Final = tuple(name for names in _VERIFIES.values() for name in names)
_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_HASHES: Final = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_MIN_RSA_BITS: Final = 2048
_JSON: Final = json.JSONEncoder(separators=(",", ":"))  # made once: mints are many

_AnyPublic = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_AnyPrivate = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key which verifies.

    Attributes:
        algorithms: the JWS algorithms (RFC 7518 §3.1) that this key may be used with.
        material: the library's key, for ``certificates`` and ``relying`` besides this file.
    """

    algorithms: tuple[str, ...]
    material: _AnyPublic = field(repr=False)

    @property
    def type(self) -> str:
        """Returns its kind and size, such as ``ecdsa-p256`` or ``rsa-2048``."""
        match self.material:
            case rsa.RSAPublicKey():
                return f"rsa-{self.material.key_size}"
            case ec.EllipticCurvePublicKey():
                return f"ecdsa-p{self.material.curve.key_size}"
            case ed25519.Ed25519PublicKey():
                return "ed25519"

    def jwk(self, kid: str, algorithm: str = "") -> dict[str, str]:
        """Returns the key as JWK (RFC 7517 §4) with the members that all relying parties take."""
        head = {"use": "sig", "alg": algorithm or self.algorithms[0], "kid": kid}
        return {**self._members(), **head}

    def pem(self) -> str:
        """Returns the key as SubjectPublicKeyInfo."""
        return self.material.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

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
        match self.material:
            case rsa.RSAPublicKey():
                numbers = self.material.public_numbers()
                return {"e": _minimal(numbers.e), "kty": "RSA", "n": _minimal(numbers.n)}
            case ec.EllipticCurvePublicKey():
                # RFC 7518 §6.2.1: coordinates are padded to the size of the curve's field.
                size = (self.material.curve.key_size + 7) // 8
                point = self.material.public_numbers()
                x, y = (_base64url(number.to_bytes(size, "big")) for number in (point.x, point.y))
                return {"crv": _CURVES[self.material.curve.name], "kty": "EC", "x": x, "y": y}
            case ed25519.Ed25519PublicKey():
                raw = self.material.public_bytes_raw()
                return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A key which signs. It cannot be printed; ``pem`` is for the key store alone.

    Attributes:
        public: the half that may be shown.
    """

    material: _AnyPrivate = field(repr=False)
    public: PublicKey = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "public", _published(self.material.public_key()))

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """Returns the signature of data in the form of JWS (RFC 7518 §3).

        Raises:
            KeyStoreError: if algorithm is none of the key's.
        """
        if algorithm not in self.public.algorithms:
            raise KeyStoreError(f"a key of type {self.public.type} does not sign {algorithm}")
        match self.material:
            case rsa.RSAPrivateKey():
                return self.material.sign(data, _padding(algorithm), _hash(algorithm))
            case ec.EllipticCurvePrivateKey():
                size = (self.material.curve.key_size + 7) // 8
                der = self.material.sign(data, ec.ECDSA(_hash(algorithm)))
                return b"".join(part.to_bytes(size, "big") for part in decode_dss_signature(der))
            case ed25519.Ed25519PrivateKey():
                return self.material.sign(data)

    def pem(self, passphrase: Secret | None = None) -> Secret:
        """Returns the key as PKCS #8, encrypted where there is a passphrase."""
        protection = (
            BestAvailableEncryption(passphrase.reveal().encode()) if passphrase else NoEncryption()
        )
        raw = self.material.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
        return Secret(raw.decode())


def generate_key(type_: str = "ecdsa-p256") -> PrivateKey:
    """Returns a new key of a type such as ``PublicKey.type`` tells."""
    match type_.split("-"):
        case ["rsa", bits]:
            return PrivateKey(material=rsa.generate_private_key(65537, int(bits)))
        case ["ed25519"]:
            return PrivateKey(material=ed25519.Ed25519PrivateKey.generate())
        case _:
            curve = ec.SECP384R1() if type_ == "ecdsa-p384" else ec.SECP256R1()
            return PrivateKey(material=ec.generate_private_key(curve))


def load_private_key(pem: Secret, passphrase: Secret | None = None) -> PrivateKey:
    """Reads what ``PrivateKey.pem`` wrote. What is not encrypted needs no passphrase.

    Raises:
        KeyStoreError: for anything else, or another passphrase.
    """
    encrypted = is_encrypted(pem)
    if encrypted and passphrase is None:
        raise KeyStoreError("the private key is encrypted: name its passphrase")
    password = passphrase.reveal().encode() if encrypted and passphrase else None
    try:
        key = load_pem_private_key(pem.reveal().encode(), password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyStoreError(
            "the passphrase does not open the private key" if encrypted else "not a private key"
        ) from error
    if not isinstance(key, _AnyPrivate) or usable(key.public_key()) is None:
        raise KeyStoreError("the private key is of a kind that nothing here signs with")
    return PrivateKey(material=key)


def is_encrypted(pem: Secret) -> bool:
    """Tells whether a private key needs a passphrase."""
    return "BEGIN ENCRYPTED" in pem.reveal()


def load_public_key(pem: str) -> PublicKey:
    """Reads what ``PublicKey.pem`` wrote.

    Raises:
        KeyStoreError: for anything else.
    """
    try:
        return _published(load_pem_public_key(pem.encode()))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyStoreError("not a public key") from error


def raw_public_key(raw: bytes) -> PublicKey:
    """Reads the 32 bytes of an Ed25519 key (RFC 8032 §5.1.5).

    Raises:
        KeyStoreError: for anything else.
    """
    try:
        return _published(ed25519.Ed25519PublicKey.from_public_bytes(raw))
    except ValueError as error:
        raise KeyStoreError("not a public key") from error


def sign(
    claims: Mapping[str, Any],
    key: PrivateKey,
    *,
    kid: str,
    type_: str = "JWT",
    algorithm: str = "",
) -> Secret:
    """Returns claims as a JWT (RFC 7519), signed with the usual algorithm unless told another."""
    chosen = algorithm or key.public.algorithms[0]
    data = signing_input(claims, kid=kid, algorithm=chosen, type_=type_)
    return compact(data, key.sign(data, chosen))


def signing_input(
    claims: Mapping[str, Any], *, kid: str, algorithm: str, type_: str = "JWT"
) -> bytes:
    """Returns what is signed of a JWT (RFC 7515 §5.1)."""
    header = {"alg": algorithm, "kid": kid, "typ": type_}
    return b".".join(
        urlsafe_b64encode(_JSON.encode(part).encode()).rstrip(b"=") for part in (header, claims)
    )


def compact(data: bytes, signature: bytes) -> Secret:
    """Returns the JWT of a signing input and its signature."""
    return Secret(f"{data.decode()}.{_base64url(signature)}")


def usable(key: object) -> PublicKey | None:
    """Returns a key of the library's as ours, None for one that nobody verifies with."""
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


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    return _HASHES[algorithm[2:]]


def _padding(algorithm: str) -> padding.AsymmetricPadding:
    if algorithm.startswith("RS"):
        return padding.PKCS1v15()
    # RFC 7518 §3.5: the mask by the same hash, the salt as long as that is.
    return padding.PSS(padding.MGF1(_hash(algorithm)), _hash(algorithm).digest_size)


def _published(key: object) -> PublicKey:
    found = usable(key)
    if found is None:
        raise KeyStoreError("not a key that anybody verifies with")
    return found


def _minimal(number: int) -> str:
    """Returns number without leading zero bytes (RFC 7518 §6.3.1)."""
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
