"""Who may do what: distribution 2.8's token rules (``registry/auth/token``), measured on 2.8.2.

The token names its key by libtrust fingerprint in ``kid``; its audience is one text, the service;
its times have a leeway of a minute; and ``access`` names each repository in full.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pullpass.claims import read_token
from pullpass.errors import InvalidToken, TokenRefused
from pullpass.registry.embedded.settings import Trust
from pullpass.relying import verify
from pullpass.scope import Scope
from pullpass.secret import Secret

LEEWAY: Final = 60  # seconds
_TEXTS: Final = ("iss", "sub", "jti")


def challenge(trust: Trust, authorization: str, wanted: Sequence[Scope], now: float) -> str | None:
    """Returns the challenge for a request, or None if its token allows all that is wanted.

    Args:
        trust: whose tokens count.
        authorization: the request's header, empty if it has none.
        wanted: what the request needs.
        now: Unix seconds.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token or " " in token:
        return _challenge(trust, wanted)
    try:
        claims = _verify(trust, Secret(token), now)
        granted = _granted(claims)
    except (InvalidToken, TokenRefused):
        return _challenge(trust, wanted, "invalid_token")
    if not all(_allows(granted, scope) for scope in wanted):
        return _challenge(trust, wanted, "insufficient_scope")
    return None


def _verify(trust: Trust, token: Secret, now: float) -> Mapping[str, Any]:
    key = trust.keys.get(read_token(token.reveal()).header_text("kid"))
    if key is None:
        raise TokenRefused("it is signed by a key that the registry does not trust")
    claims = verify(token, key)
    if claims.get("iss") != trust.issuer or claims.get("aud") != trust.service:
        raise TokenRefused("it is from another issuer or for another service")
    if not claims.get("nbf", 0) - LEEWAY <= now <= claims.get("exp", 0) + LEEWAY:
        raise TokenRefused("it is not valid now")
    if not all(isinstance(claims.get(name) or "", str) for name in _TEXTS):
        raise TokenRefused("one of its claims is not text")
    return claims


def _granted(claims: Mapping[str, Any]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    access = claims.get("access") or []
    if not isinstance(access, list):
        raise InvalidToken("its access is not a list")
    for entry in access:
        kind, name, actions = _entry(entry)
        found.setdefault((kind, name), set()).update(actions)
    return found


def _entry(entry: Any) -> tuple[str, str, list[str]]:
    if not isinstance(entry, dict):
        raise InvalidToken("an entry of its access is not an object")
    kind, name, actions = entry.get("type", ""), entry.get("name", ""), entry.get("actions") or []
    if not (isinstance(kind, str) and isinstance(name, str) and isinstance(actions, list)):
        raise InvalidToken("an entry of its access has a member of the wrong kind")
    if not all(isinstance(action, str) for action in actions):
        raise InvalidToken("an action of its access is not text")
    return kind, name, actions


def _allows(granted: Mapping[tuple[str, str], set[str]], scope: Scope) -> bool:
    # An action «*» stands for all; a «*» in a name stands for itself.
    actions = granted.get((scope.type, scope.name), set())
    return "*" in actions or scope.actions <= actions


def _challenge(trust: Trust, wanted: Sequence[Scope], error: str = "") -> str:
    fields = {
        "realm": trust.realm,
        "service": trust.service,
        "scope": " ".join(map(str, wanted)),
        "error": error,
    }
    return "Bearer " + ",".join(f'{name}="{value}"' for name, value in fields.items() if value)
