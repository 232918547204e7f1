"""What a token minted under a role may contain. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pullpass.config.model import Issuer, Role
from pullpass.errors import MintDenied
from pullpass.glob import matches

BACKDATE: Final = 10  # seconds; some registries have no leeway, so a clock a bit behind is served
MAX_SUBJECT: Final = 255  # characters; the shortest limit among relying parties
_VARIABLE: Final = re.compile(r"\$\{([a-z0-9_.]+)\}", re.ASCII)
_LABEL_ENDS: Final = ".:/"


@dataclass(frozen=True, slots=True, kw_only=True)
class MintRequest:
    """What a caller asks of a role.

    Attributes:
        audiences: who the token is for; none means the role's default.
        ttl: seconds, or None for the role's default.
        facts: values for the subject's variables, proven by whoever calls.
    """

    audiences: tuple[str, ...] = ()
    ttl: int | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def draft(
    issuer: Issuer, role: Role, request: MintRequest, *, now: float, token_id: str
) -> dict[str, Any]:
    """Returns the claims of a token that role allows. Times are whole Unix seconds.

    Raises:
        MintDenied: naming the constraint that failed.
    """
    audiences = _audiences(role, request)
    ttl = _ttl(role, request)
    issued = int(now)
    return {
        "iss": issuer.issuer,
        "sub": subject(role, request.facts),
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "iat": issued,
        "nbf": issued - BACKDATE,
        "exp": issued + ttl,
        "jti": token_id,
    }


def subject(role: Role, facts: Mapping[str, str]) -> str:
    """Returns the role's subject with its variables filled in.

    Raises:
        MintDenied: for a variable without a value, or a result that is no subject.
    """
    text = _VARIABLE.sub(lambda found: _fact(role, facts, found[1]), role.subject_template)
    if "${" in text or not 0 < len(text) <= MAX_SUBJECT or not _is_visible(text):
        raise MintDenied(
            f"role {role.name}: subject_template gives no subject of 1 to {MAX_SUBJECT} visible"
            " ASCII characters: mend the template"
        )
    return text


def _fact(role: Role, facts: Mapping[str, str], name: str) -> str:
    value = facts.get(name, "")
    if not value or not _is_visible(value) or "$" in value:
        raise MintDenied(
            f"role {role.name}: subject_template names ${{{name}}}, which has no usable value here"
        )
    return value


def _is_visible(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _audiences(role: Role, request: MintRequest) -> tuple[str, ...]:
    wanted = request.audiences or role.default_audiences
    if not wanted:
        raise MintDenied(
            f"role {role.name}: no audience was asked for: name one, or set its default_audiences"
        )
    for audience in wanted:
        if not _is_allowed(role, audience):
            raise MintDenied(
                f"role {role.name}: audience {audience} is not allowed: add exactly this address,"
                " port included, to its allowed_audiences"
            )
    return wanted


def _is_allowed(role: Role, audience: str) -> bool:
    return bool(audience and _is_visible(audience)) and any(
        matches(glob, audience, boundary=_LABEL_ENDS) for glob in role.allowed_audiences
    )


def _ttl(role: Role, request: MintRequest) -> int:
    ttl = role.default_ttl if request.ttl is None else request.ttl
    if not 0 < ttl <= role.max_ttl:
        raise MintDenied(
            f"role {role.name}: a lifetime of {ttl}s is not between 1s and its max_ttl,"
            f" {role.max_ttl}s: ask for less, or raise max_ttl"
        )
    return ttl
