"""Settings of issuers and their roles. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pullpass.config.enrolment import (
    MINTS_PER_MINUTE,
    check_selectors,
    read_callers,
    read_nodes,
    read_selectors,
)
from pullpass.config.issuing import KEY_ALGORITHMS, AllowedClaim, Audit, Issuer, KeySettings, Role
from pullpass.config.model import PULL_TTL
from pullpass.config.reader import Table
from pullpass.errors import InvalidReference
from pullpass.reference import parse_registry

MAX_TTL: Final = 3600  # seconds; an issuer's own max_ttl unless it says otherwise
JWKS_MAX_AGE: Final = 300  # seconds
MAX_URL: Final = 255  # characters; the shortest limit among relying parties
MAX_KEYS: Final = 100  # of an issuer; Entra reads no more
MAX_PUBLISHED: Final = 5  # versions of its own key
CLAIM_TYPES: Final = ("string", "string-array", "integer", "boolean")
SINKS: Final = ("file", "journald")
# What the issuer says by itself, so that neither a role nor a caller can (RFC 7519 §4.1).
RESERVED: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLAIM: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tenant:
    """``[tenant]``: the domain and the UUID that issuers are derived of."""

    domain: str = ""
    id: str = ""

    def issuer(self, name: str) -> str | None:
        """Returns the URL of the issuer name, None where nothing is known to derive it of."""
        return f"https://{self.domain}/{self.id}/jwt/{name}" if self.domain and self.id else None


def read_tenant(table: Table) -> Tenant:
    """Takes ``[tenant]``. Raises: ConfigError."""
    tenant = Tenant(domain=table.text("domain", ""), id=table.text("id", ""))
    try:
        plain = not tenant.domain or parse_registry(tenant.domain) == tenant.domain.lower()
    except InvalidReference:
        plain = False
    if not plain or ":" in tenant.domain or tenant.domain != tenant.domain.lower():
        raise table.error("domain", "takes the name of a host, such as id.example.com")
    if tenant.id and not _UUID.fullmatch(tenant.id):
        raise table.error(
            "id",
            "takes a UUID in lower case: `python3 -c 'import uuid; print(uuid.uuid4())'` makes one",
        )
    table.done()
    return tenant


def read_issuer(name: str, table: Table, keys: Mapping[str, KeySettings], tenant: Tenant) -> Issuer:
    """Takes ``[issuers.NAME]``. Raises: ConfigError."""
    insecure = table.flag("insecure", default=False)
    max_ttl = table.duration("max_ttl", MAX_TTL)
    default_ttl = _at_most(table, "default_ttl", PULL_TTL, max_ttl)
    verbose = table.flag("verbose_logging", default=False)
    roles = [_Role(role, inner, verbose) for role, inner in table.named("roles")]
    signing_key = table.text("signing_key")
    derived = tenant.issuer(name)
    if derived is None and not table.has("issuer"):
        raise table.error("issuer", "is missing: write its URL, or domain and id under [tenant]")
    issuer = Issuer(
        name=name,
        issuer=table.url("issuer", derived, insecure=insecure),
        signing_key=signing_key,
        algorithm=_algorithm(table, roles, keys.get(signing_key)),
        default_ttl=default_ttl,
        max_ttl=max_ttl,
        jwks_max_age=table.duration("jwks_max_age", JWKS_MAX_AGE),
        insecure=insecure,
        static=table.flag("static", default=False),
        tenant=tenant.id,
        roles={role.name: role.read(default_ttl, max_ttl) for role in roles},
        nodes=read_nodes(table.table("nodes")),
        callers=read_callers(table.table("callers")),
        mints_per_minute=table.number("mints_per_minute", MINTS_PER_MINUTE, 1, 60000),
    )
    for role in roles:
        check_selectors(role.table, issuer.roles[role.name], issuer.callers)
    _check_size(table, issuer)
    if len(issuer.issuer) > MAX_URL:
        raise table.error("issuer", f"is longer than {MAX_URL} characters")
    table.done()
    return issuer


def _check_size(table: Table, issuer: Issuer) -> None:
    """Holds that the JWKS does not grow beyond what relying parties read."""
    shown = sum(len(node.keys) for node in issuer.nodes.values() if node.offline)
    if shown + MAX_PUBLISHED > MAX_KEYS:
        raise table.error(
            "nodes",
            f"have more than {MAX_KEYS - MAX_PUBLISHED} keys for minting offline: give"
            " some of them another issuer",
        )


class _Role:
    """A role on its way out of its table."""

    def __init__(self, name: str, table: Table, verbose: bool) -> None:  # noqa: FBT001 - of the issuer, as it is
        self.name = name
        self.table = table
        self.algorithm = table.text("algorithm", "")
        self._verbose = verbose

    def read(self, issuer_default: int, issuer_max: int) -> Role:
        table = self.table
        max_ttl = min(table.duration("max_ttl", issuer_max), issuer_max)
        role = Role(
            name=self.name,
            allowed_audiences=table.texts("allowed_audiences"),
            default_audiences=table.texts("default_audiences", ()),
            require_audience=table.flag("require_audience", default=True),
            subject_template=table.text("subject_template", ""),
            allowed_subject_patterns=table.texts("allowed_subject_patterns", ()),
            fixed_claims=_fixed_claims(table.table("fixed_claims")),
            allowed_claims=_allowed_claims(table.table("allowed_claims")),
            required_claims=table.texts("required_claims", ()),
            default_ttl=_at_most(table, "default_ttl", issuer_default, max_ttl),
            max_ttl=max_ttl,
            verbose_logging=table.flag("verbose_logging", default=False) or self._verbose,
            mint=read_selectors(table),
        )
        _check_role(table, role)
        table.done()
        return role


def _check_role(table: Table, role: Role) -> None:
    if bool(role.subject_template) == bool(role.allowed_subject_patterns):
        raise table.error(
            "subject_template", "and allowed_subject_patterns exclude each other: set one of them"
        )
    if not (role.subject_template.isascii() and role.subject_template.isprintable()):
        raise table.error("subject_template", "holds what is not a printable ASCII character")
    for name in role.required_claims:
        if name not in role.fixed_claims.keys() | role.allowed_claims.keys():
            raise table.error(
                "required_claims", f"holds {name}, which no token can say: allow or fix it"
            )
    if twice := role.fixed_claims.keys() & role.allowed_claims.keys():
        raise table.error("allowed_claims", f"holds {min(twice)}, which is fixed: keep one of them")


def _fixed_claims(table: Table) -> dict[str, Any]:
    return {name: _fixed(name, table, value) for name, value in table.rest().items()}


def _fixed(name: str, table: Table, value: object) -> object:
    _check_claim(name, table)
    if isinstance(value, (str, int)):  # which true and false are too
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise table.error(name, "takes text, a whole number, true, false or a list of texts")


def _allowed_claims(outer: Table) -> dict[str, AllowedClaim]:
    found = {}
    for name, table in outer.each():
        _check_claim(name, outer)
        found[name] = _allowed_claim(table)
    return found


def _allowed_claim(table: Table) -> AllowedClaim:
    claim = AllowedClaim(type=table.text("type"), values=table.texts("values", ("*",)))
    if claim.type not in CLAIM_TYPES:
        raise table.error("type", f"takes one of {', '.join(CLAIM_TYPES)}")
    table.done()
    return claim


def _check_claim(name: str, table: Table) -> None:
    if name in RESERVED:
        raise table.error(name, "is a claim that the issuer says by itself: remove it")
    if not _CLAIM.fullmatch(name):
        raise table.error(name, "is not a name for a claim: use letters, digits and _.:/-")


def _algorithm(table: Table, roles: list[_Role], key: KeySettings | None) -> str:
    """Returns the one algorithm of an issuer; a key in its JWKS can name no more than one."""
    usable = KEY_ALGORITHMS[key.type] if key else ("",)
    for role in roles:
        if role.algorithm and role.algorithm not in usable:
            raise role.table.error("algorithm", f"takes what its key signs: {', '.join(usable)}")
    found = {role.algorithm or usable[0] for role in roles} or {usable[0]}
    if len(found) > 1:
        raise table.error("roles", f"sign with {' and '.join(sorted(found))}: an issuer has one")
    return found.pop()


def _at_most(table: Table, name: str, default: int, limit: int) -> int:
    seconds = table.duration(name, min(default, limit))
    if seconds > limit:
        raise table.error(name, f"is longer than the max_ttl in force, {limit}s")
    return seconds


def read_audit(table: Table) -> Audit:
    """Takes ``[audit]``. Raises: ConfigError."""
    audit = Audit(sinks=table.texts("sinks", ("file",)), file=table.path("file"))
    if not audit.sinks or not set(audit.sinks) <= set(SINKS):
        raise table.error("sinks", 'takes a list of "file" and "journald"')
    table.done()
    return audit
