"""The settings of transit keys, issuers and roles as values. Durations are whole seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pullpass.config.callers import Caller

# What a transit key may be, and the algorithms (RFC 7518 §3.1) that it may sign with, the usual
# one first.
KEY_ALGORITHMS: Final = {
    "ecdsa-p256": ("ES256",),
    "ecdsa-p384": ("ES384",),
    "ed25519": ("EdDSA",),
    "rsa-2048": ("RS256", "RS384", "RS512"),
    "rsa-3072": ("RS256", "RS384", "RS512"),
    "rsa-4096": ("RS256", "RS384", "RS512"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Passphrase:
    """``{ credential = "NAME" }`` or ``{ keyring = "NAME" }``: what opens a key's private halves.

    Attributes:
        credential: the name of a systemd credential of this service.
        keyring: the name of a secret in the operating system's keyring.
    """

    credential: str = ""
    keyring: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBao:
    """``[keys.NAME.openbao]``: an OpenBao or Vault that signs.

    Attributes:
        address: its origin.
        transit: the mount of the transit engine.
        state: the mount of the KV engine, version 2, that holds the states of versions.
        key: the name of the key there.
        namespace: empty for the root.
        token_file: whose text is shown as token, read anew each time.
    """

    address: str
    transit: str
    state: str
    key: str
    namespace: str
    token_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """``[keys.NAME]``: a signing key with versions.

    Attributes:
        type: one of KEY_ALGORITHMS.
        backend: ``file``, ``keyring`` or ``openbao-transit``.
        rotate_every: 0 for only by hand.
        publish_lead: how long a version is shown before it signs.
        retire_grace: how long a version is shown after it signed.
        static: whether versions are shown by ``pullpass issuer publish`` alone.
    """

    name: str
    type: str
    backend: str
    rotate_every: int
    publish_lead: int
    retire_grace: int
    static: bool = False
    passphrase: Passphrase | None = None
    openbao: OpenBao | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedClaim:
    """``{ type = "string", values = ["main", "release-*"] }``: what a caller may say in a claim.

    Attributes:
        type: ``string``, ``string-array``, ``integer`` or ``boolean``.
        values: globs over each value.
    """

    type: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledNode:
    """``[issuers.I.nodes.NAME]``: a host that proves itself with a key of its own.

    Attributes:
        keys: public JWKs.
        offline: whether its keys are in the JWKS, so that it can mint while cut off.
        key: the dotted key, for errors.
    """

    name: str
    keys: tuple[Mapping[str, str], ...]
    offline: bool
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideCaller:
    """``[issuers.I.callers.NAME]``: subjects of another issuer, who show its tokens.

    Attributes:
        subjects: globs over ``sub``.
    """

    name: str
    issuer: str
    subjects: tuple[str, ...]
    algorithms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """``{ node = "worker-*" }`` or ``{ caller = "ci" }``: who may mint from another host.

    Attributes:
        facts: the variables whose values it is believed, though it proves none of them.
    """

    node: str = ""
    caller: str = ""
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """``[issuers.I.roles.NAME]``: what a token minted under it may contain.

    Attributes:
        allowed_audiences: globs; ``*`` never crosses a label of a host name.
        default_audiences: used where the caller names none.
        require_audience: whether a token must be for somebody.
        subject_template: text with ``${variable}``; the caller then has no say.
        allowed_subject_patterns: globs over the subject that a caller names.
        fixed_claims: in every token; texts may hold variables.
        allowed_claims: what a caller may add.
        required_claims: what a token must say.
        verbose_logging: whether the audit tells all that was asked.
        mint: who may; none named means all of this host and nobody else.
    """

    name: str
    allowed_audiences: tuple[str, ...]
    default_audiences: tuple[str, ...] = ()
    require_audience: bool = True
    subject_template: str = ""
    allowed_subject_patterns: tuple[str, ...] = ()
    fixed_claims: Mapping[str, Any] = field(default_factory=dict)
    allowed_claims: Mapping[str, AllowedClaim] = field(default_factory=dict)
    required_claims: tuple[str, ...] = ()
    default_ttl: int
    max_ttl: int
    verbose_logging: bool = False
    mint: tuple[Selector | Caller, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """``[issuers.NAME]``: an issuer of workload identities.

    Attributes:
        issuer: its URL, the ``iss`` of its tokens.
        algorithm: what it signs with, one for all of its roles.
        jwks_max_age: how long others may keep its JWKS.
        static: whether its documents are published by ``pullpass issuer publish`` alone.
        tenant: for the variable ``${tenant}``, empty where there is none.
        mints_per_minute: what one caller from another host may have.
    """

    name: str
    issuer: str
    signing_key: str
    algorithm: str
    default_ttl: int
    max_ttl: int
    jwks_max_age: int
    insecure: bool
    static: bool
    tenant: str
    roles: Mapping[str, Role]
    nodes: Mapping[str, EnrolledNode] = field(default_factory=dict)
    callers: Mapping[str, OutsideCaller] = field(default_factory=dict)
    mints_per_minute: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """``[audit]``: where the lines about attempts to mint go.

    Attributes:
        sinks: ``file`` and ``journald``; each gets every line, and one that takes it is enough.
        file: None for the usual place in the state directory.
    """

    sinks: tuple[str, ...] = ("file",)
    file: Path | None = None
