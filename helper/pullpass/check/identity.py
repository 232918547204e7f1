"""What a subject token says, as whoever judges it will read it. Nothing here is believed. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pullpass.check.finding import Level, Seen
from pullpass.claims import UnverifiedToken
from pullpass.errors import TokenRefused, one_line
from pullpass.exchange.spec import Spec
from pullpass.glob import matches
from pullpass.http import MAX_SKEW
from pullpass.identity.token import SubjectToken

_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_LONGEST: Final = 200  # characters of a claim that are shown
# Known to everybody, or of no use to a rule of the other side.
_UNTOLD: Final = frozenset({"iss", "sub", "aud", "exp", "iat", "nbf", "jti"})


def describe(shown: SubjectToken, now: float) -> str:
    """Returns who is shown, for whom and for how long; now is in Unix seconds."""
    said = shown.said
    if not said.claims:
        return f"{shown.source} gives what is no JWT: nothing can be read of it"
    who = _pairs(said.claims, ("iss", "sub", "aud"))
    return f"{shown.source} gives {who}, {said.header_text('alg')}, {_life(said, now)}"


def judge(token: UnverifiedToken, spec: Spec) -> Seen:
    """Returns how token looks to the provider's other side, as far as its spec knows.

    Raises:
        TokenRefused: if the other side is known to refuse such a token.
    """
    reasons = list(_reasons(token, spec))
    if reasons:
        raise TokenRefused(f"{spec.name} takes no such token: {'; '.join(reasons)}")
    return Seen(Level.OK, f"nothing is known by which {spec.name} would refuse it")


def compare(token: UnverifiedToken, expected: Mapping[str, str]) -> Seen:
    """Returns the claims that the registry's side expects, beside those of token.

    Raises:
        TokenRefused: if one of them is another.
    """
    told = {name: _texts(token.claims.get(name)) for name in expected}
    wrong = [
        f"{name} is {_shown(token.claims.get(name))} where {pattern} is expected"
        for name, pattern in expected.items()
        if not any(matches(pattern, text) for text in told[name])
    ]
    if wrong:
        raise TokenRefused(f"{'; '.join(wrong)}: change the rule there, or the identity here")
    return Seen(Level.OK, f"{_pairs(token.claims, expected)}, as expected")


def every_claim(token: UnverifiedToken) -> str:
    """Returns all that a rule of the other side may be about."""
    others = sorted(name for name in token.claims if name not in _UNTOLD)
    return one_line(_pairs(token.claims, ("iss", "sub", "aud", *others)))


def _reasons(token: UnverifiedToken, spec: Spec) -> Iterator[str]:
    trust, algorithm, issuer = spec.trust, token.header_text("alg"), token.text("iss")
    if trust.algorithms and algorithm not in trust.algorithms:
        known, rsa = ", ".join(trust.algorithms), _RSA.issuperset(trust.algorithms)
        key = "an RSA key" if rsa else "such a key"
        yield f"its signature is {algorithm}, not {known}: let the issuer sign with {key}"
    if trust.issuers and not any(matches(one, issuer) for one in trust.issuers):
        known = ", ".join(trust.issuers)
        yield f"its issuer is {issuer}, not {known}: name an identity of that issuer"
    life = token.claims.get("exp", 0) - token.claims.get("iat", 0)
    if 0 < trust.max_lifetime < life:
        yield f"it lives {life}s, not at most {trust.max_lifetime}s: ask for a shorter one"


def _life(token: UnverifiedToken, now: float) -> str:
    ends, began = token.claims.get("exp"), token.claims.get("iat", now)
    if ends is None:
        return "lives for ever"
    older = now - began > MAX_SKEW
    return f"lives {ends - began:.0f}s" + (
        f", of which {ends - now:.0f}s are left" if older else ""
    )


def _pairs(claims: Mapping[str, Any], names: Iterable[str]) -> str:
    return " ".join(f"{name}={_shown(claims.get(name))}" for name in names)


def _shown(value: Any) -> str:
    return one_line(",".join(_texts(value)), _LONGEST) or "none"


def _texts(value: Any) -> list[str]:
    """Returns value, or each of its elements, as text."""
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
