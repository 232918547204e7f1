"""The registry-token matrix: how a token may look, and what distribution 2.8 says to it.

Each row forges one token with a key which the registry trusts by a certificate in its
``rootcertbundle``. The verdicts are what Debian's docker-registry 2.8.2 answers.
"""

import hmac
import json
import time
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from fakes.registries import ISSUER, SERVICE
from pullpass.certificates import certify
from pullpass.jose import PrivateKey, generate_key
from pullpass.verifier.verify import EXCHANGE_TYPE

REPOSITORY: Final = "team/app"
SCOPE: Final = f"repository:{REPOSITORY}:pull"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256

Forge = Callable[[PrivateKey], str]


class Verdict(StrEnum):
    """What a registry makes of a token: lets it in, or the error of its challenge."""

    OPEN = ""
    INVALID = "invalid_token"
    TOO_LITTLE = "insufficient_scope"


OPEN, INVALID, TOO_LITTLE = Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One token of the matrix.

    Attributes:
        embedded: what our embedded registry says, where it is stricter than distribution 2.8.
    """

    name: str
    forge: Forge
    debian: Verdict
    embedded: Verdict


def claims_of(**changes: Any) -> dict[str, Any]:
    """Returns the claims of a good token with changes: None drops one, a function gets the time."""
    now = int(time.time())
    usual = {
        "iss": ISSUER,
        "aud": SERVICE,
        "sub": "puller",
        "exp": now + 300,
        "nbf": now - 10,
        "iat": now - 10,
        "jti": "1",
        "access": [access()],
    }
    found = {
        name: value(now) if callable(value) else value for name, value in (usual | changes).items()
    }
    return {name: value for name, value in found.items() if value is not None}


def access(**members: Any) -> dict[str, Any]:
    """Returns an entry of ``access`` that allows to pull REPOSITORY, with members changed."""
    return {"type": "repository", "name": REPOSITORY, "actions": ["pull"]} | members


def encoded(raw: bytes) -> str:
    """Returns raw in base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(key: PrivateKey, payload: bytes | None = None, **header: Any) -> str:
    """Returns payload, else good claims, signed by key; header members of None are left out."""
    named = {"typ": "JWT", "kid": key.public.libtrust_id()} | header
    kept = {name: value for name, value in named.items() if value is not None or name == "typ"}
    body = json.dumps(claims_of()).encode() if payload is None else payload
    return jwt.PyJWS().encode(body, key.material, "ES256", headers=kept)


def with_claims(**changes: Any) -> Forge:
    """Forges a token with these claims changed."""
    return lambda key: signed(key, json.dumps(claims_of(**changes)).encode())


def with_header(**members: Any) -> Forge:
    """Forges a token with these members of the header changed; functions are given the key."""
    return lambda key: signed(
        key, **{name: value(key) if callable(value) else value for name, value in members.items()}
    )


def by_a_rogue(**members: Any) -> Forge:
    """Forges a token by a key that nobody trusts, under the kid of one that is trusted."""

    def forge(key: PrivateKey) -> str:
        found: dict[str, Any] = {"kid": key.public.libtrust_id()} | members
        return with_header(**found)(generate_key())

    return forge


def jwk(key: PrivateKey) -> Mapping[str, str]:
    """Returns the public half of key as libtrust writes it."""
    return key.public.jwk(key.public.libtrust_id())


def chain(key: PrivateKey) -> list[str]:
    """Returns a certificate of key as ``x5c`` holds it."""
    certificate = load_pem_x509_certificate(certify(key, "realm"))
    return [b64encode(certificate.public_bytes(Encoding.DER)).decode()]


def unsigned(signature: str = "") -> Forge:
    """Forges a token of alg none."""
    return lambda key: _put_together({"alg": "none", "kid": key.public.libtrust_id()}, signature)


def shared_secret(form: Encoding) -> Forge:
    """Forges a token of HS256 whose secret is the trusted public key."""

    def forge(key: PrivateKey) -> str:
        secret = key.public.material.public_bytes(form, PublicFormat.SubjectPublicKeyInfo)
        text = _put_together({"alg": "HS256", "kid": key.public.libtrust_id()}, "")[:-1]
        return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"

    return forge


def bent(change: Callable[[list[str]], list[str]]) -> Forge:
    """Forges a good token whose three parts are then changed."""
    return lambda key: ".".join(change(signed(key).split(".")))


def _put_together(header: dict[str, Any], signature: str) -> str:
    parts = (json.dumps(part).encode() for part in ({"typ": "JWT"} | header, claims_of()))
    return ".".join([*map(encoded, parts), signature])


def _raw(signature: str) -> tuple[int, int]:
    raw = urlsafe_b64decode(signature + "==")
    return int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")


def _mirrored(parts: list[str]) -> list[str]:
    r, s = _raw(parts[2])
    return [*parts[:2], encoded(r.to_bytes(32, "big") + (_ORDER - s).to_bytes(32, "big"))]


def _in_der(parts: list[str]) -> list[str]:
    return [*parts[:2], encoded(encode_dss_signature(*_raw(parts[2])))]


def _twice(claim: str, first: str) -> Forge:
    """Forges a token that says a claim twice, the good value last."""
    start = f"{{{json.dumps(claim)}: {json.dumps(first)}, "
    return lambda key: signed(key, (start + json.dumps(claims_of())[1:]).encode())


def _altered(**changes: Any) -> Forge:
    """Forges a token whose claims were changed after it was signed."""

    def change(parts: list[str]) -> list[str]:
        return [parts[0], encoded(json.dumps(claims_of(**changes)).encode()), parts[2]]

    return bent(change)


_OPEN: Final[Mapping[str, Forge]] = {
    "ES256, kid = libtrust": signed,
    "typ absent": with_header(typ=None),
    "typ at+jwt": with_header(typ="at+jwt"),
    "typ of an exchanged credential": with_header(typ=EXCHANGE_TYPE),
    "jku": with_header(jku="https://evil.example.com/jwks"),
    "signature (r, n-s)": bent(_mirrored),
    "nbf missing": with_claims(nbf=None),
    "iat missing": with_claims(iat=None),
    "jti missing": with_claims(jti=None),
    "sub missing": with_claims(sub=None),
    "exp -30 s": with_claims(exp=lambda now: now - 30),
    "nbf +30 s": with_claims(nbf=lambda now: now + 30),
    "iat +1 h": with_claims(iat=lambda now: now + 3600),
    "exp +10 years": with_claims(exp=lambda now: now + 10 * 365 * 86400),
    "actions *": with_claims(access=[access(actions=["*"])]),
    "more actions": with_claims(access=[access(actions=["delete", "pull", "push"])]),
    "more entries": with_claims(access=[access(name="other"), access()]),
    "class beside type": with_claims(access=[access(**{"class": "plugin"})]),
    "unknown claim": with_claims(extra={"deep": [1]}),
}
_INVALID: Final[Mapping[str, Forge]] = {
    "kid = RFC 7638": with_header(kid=lambda key: key.public.thumbprint()),
    "kid of no key": with_header(kid="AAAA:BBBB"),
    "kid in lower case": with_header(kid=lambda key: key.public.libtrust_id().lower()),
    "no kid": with_header(kid=None),
    "empty kid": with_header(kid=""),
    "alg none": unsigned(),
    "alg none with a signature": unsigned("AAAA"),
    "HS256 with the public key in PEM": shared_secret(Encoding.PEM),
    "HS256 with the public key in DER": shared_secret(Encoding.DER),
    "rogue key, trusted kid": by_a_rogue(),
    "rogue key, trusted kid, own jwk": by_a_rogue(jwk=jwk),  # CVE-2025-24976
    "rogue key, no kid, own jwk": by_a_rogue(kid=None, jwk=jwk),
    "rogue key, no kid, own x5c": by_a_rogue(kid=None, x5c=chain),
    "rogue key, trusted kid, own x5c": by_a_rogue(x5c=chain),
    "own key, no kid, x5c of a certificate that is not in the bundle": with_header(
        kid=None, x5c=chain
    ),
    "claims altered": _altered(access=[access(actions=["*"])]),
    "signature altered": bent(lambda parts: [*parts[:2], parts[2][::-1]]),
    "signature of zeros": bent(lambda parts: [*parts[:2], encoded(bytes(64))]),
    "signature in DER": bent(_in_der),
    "no signature": bent(lambda parts: [*parts[:2], ""]),
    "two parts": bent(lambda parts: parts[:2]),
    "four parts": bent(lambda parts: [*parts, "AAAA"]),
    "no token": lambda _: "junk",
    "aud as list": with_claims(aud=[SERVICE]),
    "aud missing": with_claims(aud=None),
    "aud empty": with_claims(aud=""),
    "aud wrong": with_claims(aud="other.test"),
    "aud longer": with_claims(aud=f"{SERVICE}:443"),
    "iss missing": with_claims(iss=None),
    "iss wrong": with_claims(iss="https://evil.test"),
    "iss with a closing slash": with_claims(iss=f"{ISSUER}/"),
    "iss of the exchange": with_claims(iss=f"{ISSUER}/exchange"),
    "exp missing": with_claims(exp=None),
    "exp -70 s": with_claims(exp=lambda now: now - 70),
    "nbf +70 s": with_claims(nbf=lambda now: now + 70),
    "exp float": with_claims(exp=lambda now: now + 300.5),
    "exp text": with_claims(exp=lambda now: str(now + 300)),
    "iat float": with_claims(iat=lambda now: now - 10.5),
    "sub a number": with_claims(sub=7),
    "access text": with_claims(access="all"),
    "actions text": with_claims(access=[access(actions="pull")]),
    "claims padded": bent(lambda parts: [parts[0], f"{parts[1]}==", parts[2]]),
    "claims no object": lambda key: signed(key, b"[]"),
    "claims no JSON": lambda key: signed(key, b"{"),
}
_TOO_LITTLE: Final[Mapping[str, Forge]] = {
    "access missing": with_claims(access=None),
    "access []": with_claims(access=[]),
    "access null": lambda key: signed(key, json.dumps(claims_of() | {"access": None}).encode()),
    "actions []": with_claims(access=[access(actions=[])]),
    "actions for something else": with_claims(access=[access(actions=["push"])]),
    "name *": with_claims(access=[access(name="*")]),
    "name team/*": with_claims(access=[access(name="team/*")]),
    "name of another": with_claims(access=[access(name="team/app2")]),
    "name with its host": with_claims(access=[access(name=f"{SERVICE}/{REPOSITORY}")]),
    "name in upper case": with_claims(access=[access(name=REPOSITORY.upper())]),
    "type repository(plugin)": with_claims(access=[access(type="repository(plugin)")]),
    "type registry": with_claims(access=[access(type="registry")]),
}
# Distribution 2.8 is laxer here than it should be.
_OPEN_AT_DEBIAN: Final[Mapping[str, Forge]] = {
    "own key, no kid, own jwk": with_header(kid=None, jwk=jwk),
    "crit of an unknown extension": with_header(crit=["foo"]),
    "aud twice, the last good": _twice("aud", "other.test"),
    "signature padded": bent(lambda parts: [*parts[:2], f"{parts[2]}=="]),
}


def rows() -> Iterator[Row]:
    """Yields the matrix."""
    for table, verdict in ((_OPEN, OPEN), (_INVALID, INVALID), (_TOO_LITTLE, TOO_LITTLE)):
        for name, forge in table.items():
            yield Row(name=name, forge=forge, debian=verdict, embedded=verdict)
    for name, forge in _OPEN_AT_DEBIAN.items():
        yield Row(name=name, forge=forge, debian=OPEN, embedded=INVALID)
