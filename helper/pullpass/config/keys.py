"""Settings of transit keys: what they say by themselves, and what their users demand. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from pullpass.config.issuing import KEY_ALGORITHMS, Issuer, KeySettings, OpenBao, Passphrase
from pullpass.config.model import Service
from pullpass.config.reader import Table, dotted
from pullpass.errors import ConfigError

BACKENDS: Final = ("file", "keyring", "openbao-transit")
MAX_SKEW: Final = 300  # seconds; AWS takes a token for so long after its end
MAX_LAG: Final = 60  # seconds that a server may take to show what a store holds
PUBLISH_LEAD: Final = 86400  # seconds
RETIRE_GRACE: Final = 3600  # seconds; of a key that nobody uses yet


def read_key(name: str, table: Table) -> KeySettings:
    """Takes ``[keys.NAME]``; a time of 0 is one that is not set. Raises: ConfigError."""
    backend = table.text("backend", "file")
    key = KeySettings(
        name=name,
        type=table.text("type", "ecdsa-p256"),
        backend=backend,
        rotate_every=table.duration("rotate_every", 0),
        publish_lead=table.duration("publish_lead", PUBLISH_LEAD),
        retire_grace=table.duration("retire_grace", 0),
        passphrase=_passphrase(table) if table.has("passphrase") else None,
        openbao=_openbao(name, table) if backend == "openbao-transit" else None,
    )
    if key.type not in KEY_ALGORITHMS:
        raise table.error("type", f"takes one of {', '.join(KEY_ALGORITHMS)}")
    if key.backend not in BACKENDS:
        raise table.error("backend", f"takes one of {', '.join(BACKENDS)}")
    if key.passphrase and key.backend != "file":
        raise table.error("passphrase", 'is for the backend "file" alone: remove it')
    table.done()
    return key


def settle(
    keys: Mapping[str, KeySettings], issuers: Iterable[Issuer], services: Iterable[Service]
) -> dict[str, KeySettings]:
    """Returns keys with times that none of their users' tokens or caches outlives.

    Raises:
        ConfigError: for a time that is too short.
    """
    issuers, services = tuple(issuers), tuple(services)
    return {name: _settled(key, issuers, services) for name, key in keys.items()}


def _settled(
    key: KeySettings, issuers: tuple[Issuer, ...], services: tuple[Service, ...]
) -> KeySettings:
    ours = [issuer for issuer in issuers if issuer.signing_key == key.name]
    least = max(_lifetimes(key, ours, services), default=RETIRE_GRACE)
    lead = max((issuer.jwks_max_age for issuer in ours), default=0) + MAX_LAG
    settled = replace(
        key,
        retire_grace=key.retire_grace or least,
        static=any(issuer.static for issuer in ours),
    )
    _at_least(key, "retire_grace", settled.retire_grace, least, "what it signed may live so long")
    _at_least(key, "publish_lead", key.publish_lead, lead, "caches of its JWKS may be so old")
    if key.rotate_every:
        both = settled.publish_lead + settled.retire_grace
        _at_least(key, "rotate_every", key.rotate_every, both, "versions would pile up")
        _refuse_bundle(key, services)
    return settled


def _lifetimes(
    key: KeySettings, issuers: Iterable[Issuer], services: Iterable[Service]
) -> Iterator[int]:
    """Yields for how long after its last signature somebody may need each use of key."""
    yield from (issuer.max_ttl + MAX_SKEW + issuer.jwks_max_age for issuer in issuers)
    for service in services:
        if key.name == service.signing_key:
            yield service.token_ttl + MAX_SKEW
        if key.name == service.exchange_key:
            yield service.exchange_ttl + MAX_SKEW


def _at_least(key: KeySettings, setting: str, seconds: int, least: int, why: str) -> None:
    if seconds < least:
        raise ConfigError(
            f"is shorter than {least}s, and {why}: make it longer",
            key=dotted("keys", key.name, setting),
        )


def _refuse_bundle(key: KeySettings, services: Iterable[Service]) -> None:
    """A registry reads its bundle once, so a version it was not given must never sign."""
    for service in services:
        if key.name == service.signing_key:
            raise ConfigError(
                f"is for keys that others look up, and {service.name} is given this one as a"
                " bundle: remove it and rotate by hand",
                key=dotted("keys", key.name, "rotate_every"),
            )


def _passphrase(table: Table) -> Passphrase:
    inner = table.table("passphrase")
    found = Passphrase(credential=inner.text("credential", ""), keyring=inner.text("keyring", ""))
    inner.done()
    if bool(found.credential) == bool(found.keyring):
        raise table.error("passphrase", 'takes { credential = "NAME" } or { keyring = "NAME" }')
    if found.credential in {".", ".."} or "/" in found.credential:
        raise inner.error("credential", "takes the name of a systemd credential, not a path")
    return found


def _openbao(name: str, table: Table) -> OpenBao:
    inner = table.table("openbao")
    insecure = inner.flag("insecure", default=False)
    token_file = inner.path("token_file")
    if token_file is None:
        raise inner.error("token_file", "is missing: it takes the path of a file with a token")
    found = OpenBao(
        address=inner.origin("address", insecure=insecure),
        transit=inner.text("transit", "transit"),
        state=inner.text("state", "secret"),
        key=inner.text("key", name),
        namespace=inner.text("namespace", ""),
        token_file=token_file,
    )
    if not found.address:
        raise inner.error("address", "is missing: it takes OpenBao's origin, https://host:8200")
    for setting in ("transit", "state", "key", "namespace"):
        _check_path(inner, setting, getattr(found, setting))
    inner.done()
    return found


def _check_path(table: Table, setting: str, value: str) -> None:
    segments = value.split("/") if value else []
    if not all(
        segment.strip(".")
        and segment.replace("-", "").replace("_", "").replace(".", "").isalnum()
        and segment.isascii()
        for segment in segments
    ):
        raise table.error(setting, "takes a path of OpenBao's such as pki/transit")
