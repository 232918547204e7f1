"""What a token minted under a role may contain. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pullpass.config.issuing import Issuer, Role
from pullpass.errors import MintDenied
from pullpass.glob import matches
from pullpass.issuer.claim import check_value

BACKDATE: Final = 10  # seconds; some registries have no leeway, so a clock a bit behind is served
MAX_SUBJECT: Final = 255  # characters; the shortest limit among relying parties
_VARIABLE: Final = re.compile(r"\$\{([a-z0-9_.]+)\}", re.ASCII)
_LABEL_ENDS: Final = ".:/"


@dataclass(frozen=True, slots=True, kw_only=True)
class MintRequest:
    """What a caller asks of a role.

    Attributes:
        audiences: who the token is for; none means the role's default.
        subject: empty for the role's template.
        claims: further claims.
        ttl: seconds, or None for the role's default.
        facts: values for the variables of templates, proven by whoever calls.
    """

    audiences: tuple[str, ...] = ()
    subject: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    ttl: int | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def shown(self) -> Mapping[str, Any]:
        """Returns all that was asked, for the audit."""
        return {"sub": self.subject, "claims": dict(self.claims), "ttl": self.ttl}


def draft(
    issuer: Issuer, role: Role, request: MintRequest, *, now: float, token_id: str
) -> dict[str, Any]:
    """Returns the claims of a token that role allows. Times are whole Unix seconds.

    Raises:
        MintDenied: naming the constraint that failed.
    """
    facts = {**request.facts, "tenant": issuer.tenant} if issuer.tenant else request.facts
    audiences = _audiences(role, request)
    ttl = _ttl(role, request)
    issued = int(now)
    claims = {
        "iss": issuer.issuer,
        "sub": _subject(role, request, facts),
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "iat": issued,
        "nbf": issued - BACKDATE,
        "exp": issued + ttl,
        "jti": token_id,
    }
    if not audiences:
        del claims["aud"]
    if role.fixed_claims or role.required_claims or request.claims:
        claims.update(_further(role, request, facts))
    return claims


def subject(role: Role, facts: Mapping[str, str]) -> str:
    """Returns the role's subject with its variables filled in.

    Raises:
        MintDenied: for a variable without a value, or a result that is no subject.
    """
    text = _filled(role, role.subject_template, facts, "subject_template")
    if not 0 < len(text) <= MAX_SUBJECT or not _is_visible(text):
        raise MintDenied(
            f"role {role.name}: subject_template gives no subject of 1 to {MAX_SUBJECT} visible"
            " ASCII characters: mend the template",
            constraint="subject_template",
        )
    return text


def _subject(role: Role, request: MintRequest, facts: Mapping[str, str]) -> str:
    if not role.allowed_subject_patterns:
        if request.subject:
            raise MintDenied(
                f"role {role.name}: its subject_template says the subject: ask for none",
                constraint="subject_template",
            )
        return subject(role, facts)
    asked = request.subject
    fits = 0 < len(asked) <= MAX_SUBJECT and _is_visible(asked)
    if not fits or not any(matches(glob, asked) for glob in role.allowed_subject_patterns):
        raise MintDenied(
            f"role {role.name}: subject {asked or 'none'} is not allowed: ask for one that its"
            " allowed_subject_patterns cover",
            constraint="allowed_subject_patterns",
        )
    return asked


def _filled(role: Role, template: str, facts: Mapping[str, str], setting: str) -> str:
    if "$" not in template:
        return template
    text = _VARIABLE.sub(lambda found: _fact(role, facts, found[1], setting), template)
    if "${" in text:
        raise MintDenied(
            f"role {role.name}: {setting} holds ${{ which is not closed, or no name of a variable:"
            " mend the template",
            constraint=setting,
        )
    return text


def _fact(role: Role, facts: Mapping[str, str], name: str, setting: str) -> str:
    value = facts.get(name, "")
    if not value or not _is_visible(value) or "$" in value:
        raise MintDenied(
            f"role {role.name}: {setting} names ${{{name}}}, which has no usable value here",
            constraint=setting,
        )
    return value


def _is_visible(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _audiences(role: Role, request: MintRequest) -> tuple[str, ...]:
    wanted = request.audiences or role.default_audiences
    if not wanted and role.require_audience:
        raise MintDenied(
            f"role {role.name}: no audience was asked for: name one, or set its default_audiences",
            constraint="require_audience",
        )
    for audience in wanted:
        if not _is_allowed(role, audience):
            raise MintDenied(
                f"role {role.name}: audience {audience} is not allowed: add exactly this address,"
                " port included, to its allowed_audiences",
                constraint="allowed_audiences",
            )
    return wanted


def _is_allowed(role: Role, audience: str) -> bool:
    return bool(audience and _is_visible(audience)) and (
        audience in role.allowed_audiences  # as nearly all are: no pattern has to be read
        or any(matches(glob, audience, boundary=_LABEL_ENDS) for glob in role.allowed_audiences)
    )


def _ttl(role: Role, request: MintRequest) -> int:
    ttl = role.default_ttl if request.ttl is None else request.ttl
    if not 0 < ttl <= role.max_ttl:
        raise MintDenied(
            f"role {role.name}: a lifetime of {ttl}s is not between 1s and its max_ttl,"
            f" {role.max_ttl}s: ask for less, or raise max_ttl",
            constraint="max_ttl",
        )
    return ttl


def _further(role: Role, request: MintRequest, facts: Mapping[str, str]) -> dict[str, Any]:
    claims = {name: _fixed(role, name, value, facts) for name, value in role.fixed_claims.items()}
    for name, value in request.claims.items():
        if name not in role.allowed_claims:
            raise MintDenied(
                f"role {role.name}: claim {name} is not the caller's to say: leave it out, or add"
                " it to its allowed_claims",
                constraint="allowed_claims",
            )
        check_value(role.name, name, value, role.allowed_claims[name])
        claims[name] = list(value) if isinstance(value, tuple) else value
    for name in role.required_claims:
        if name not in claims:
            raise MintDenied(
                f"role {role.name}: claim {name} is required: say it", constraint="required_claims"
            )
    return claims


def _fixed(role: Role, name: str, value: object, facts: Mapping[str, str]) -> object:
    setting = f"fixed_claims.{name}"
    match value:
        case str():
            return _filled(role, value, facts, setting)
        case tuple():
            return [_filled(role, item, facts, setting) for item in value]
    return value
