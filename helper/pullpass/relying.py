"""What a relying party does: reads JWKs and verifies. The only door to PyJWT."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

import jwt

from pullpass.claims import read_token
from pullpass.errors import TokenRefused
from pullpass.jose import ALGORITHMS, PublicKey, usable
from pullpass.secret import Secret

_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


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
    found = usable(key)
    if found is None or "alg" not in jwk:
        return found
    algorithms = tuple(name for name in found.algorithms if name == jwk["alg"])
    return replace(found, algorithms=algorithms) if algorithms else None


def verify(
    token: Secret, key: PublicKey, algorithms: Collection[str] = ALGORITHMS
) -> dict[str, Any]:
    """Returns the claims of token if key signed it with one of algorithms; no claim is looked at.

    Raises:
        TokenRefused: if it did not.
        InvalidToken: if token is not a JWT.
    """
    unverified = read_token(token.reveal())
    allowed = [name for name in key.algorithms if name in algorithms]
    if unverified.header_text("alg") not in allowed:
        raise TokenRefused("its algorithm is not one that its key may be used with")
    if "crit" in unverified.header:  # RFC 7515 §4.1.11: no extension is understood here
        raise TokenRefused("its header demands an extension of JWS")
    try:
        jwt.PyJWS().decode_complete(token.reveal(), key.material, algorithms=allowed)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise TokenRefused("its signature does not verify") from error
    return dict(unverified.claims)
