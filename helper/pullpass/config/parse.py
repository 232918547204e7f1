"""Settings as TOML gives them in, the model out. Pure."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pullpass.config.agent import read_agent, read_callers
from pullpass.config.cri import read_cri, read_pull
from pullpass.config.identities import named, read_identities
from pullpass.config.issuers import read_audit, read_issuer, read_tenant
from pullpass.config.keys import read_key, settle
from pullpass.config.model import (
    MIN_TOKEN_TTL,
    STORES,
    Config,
    Connection,
    CredentialEntry,
    Identity,
    Listener,
    OwnIssuer,
    Registry,
    Ruleset,
    Service,
    Stored,
)
from pullpass.config.names import check_names
from pullpass.config.network import read_http
from pullpass.config.reader import Table
from pullpass.config.repositories import check_repositories
from pullpass.errors import InvalidReference
from pullpass.origin import is_loopback
from pullpass.reference import parse_registry

MIN_EXCHANGE_TTL: Final = 300  # seconds; buildkit keeps a helper's answer for 4m50s
ACTIONS: Final = frozenset({"pull", "push", "delete", "*"})
ALGORITHMS: Final = ("ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512")


def parse(values: Mapping[str, Any], default_state_dir: Path) -> Config:
    """Returns the model of values.

    Raises:
        ConfigError: for the first setting that is missing, unknown or wrong.
    """
    top = Table(values)
    serve = top.table("serve")
    tenant = read_tenant(top.table("tenant"))
    keys = {name: read_key(name, table) for name, table in top.named("keys")}
    issuers = {name: read_issuer(name, table, keys, tenant) for name, table in top.named("issuers")}
    services = {name: _service(name, table) for name, table in top.table("services").each()}
    config = Config(
        state_dir=top.path("state_dir") or default_state_dir,
        keys=settle(keys, issuers.values(), services.values()),
        issuers=issuers,
        registries=_registries(top),
        services=services,
        connections={name: _connection(name, table) for name, table in top.named("connections")},
        audit=read_audit(top.table("audit")),
        agent=read_agent(top.table("agent")),
        issuer_listener=_listener(serve, "issuer"),
        token_server_listener=_listener(serve, "token-server"),
        cri=read_cri(top.table("cri")),
        http=read_http(top.table("http")),
    )
    serve.done()
    top.done()
    check_names(config)
    return config


def _registries(top: Table) -> dict[str, Registry]:
    identities = read_identities(top)
    found: dict[str, Registry] = {}
    tables = top.table("registry")
    for written, table in tables.each():
        try:
            address = parse_registry(written)
        except InvalidReference as error:
            raise tables.error(written, str(error)) from error
        if address in found:
            raise tables.error(written, f"is the same registry as {found[address].key}: keep one")
        found[address] = _registry(address, tables.dotted(written), table, identities)
    return found


def _registry(address: str, key: str, table: Table, identities: Mapping[str, Identity]) -> Registry:
    insecure = table.flag("insecure", default=False)
    origin = f"{'http' if insecure else 'https'}://{address}"
    if insecure and not is_loopback(urlsplit(origin).hostname or ""):
        raise table.error("insecure", "allows plain http to loopback only: remove it and use https")
    reuse = table.duration("reuse", 0)
    credentials = tuple(
        _credential(inner, reuse, identities) for inner in table.tables("credential")
    )
    registry = Registry(
        address=address,
        provider=table.text("provider", _default_provider(credentials)),
        exchange=table.origin("exchange", insecure=insecure),
        parameters=table.mapping("parameters"),
        insecure=insecure,
        credentials=credentials,
        callers=read_callers(table, "callers"),
        key=key,
        cri=read_pull(table.table("cri"), insecure=insecure),
    )
    if not registry.credentials:
        raise table.error("credential", "is missing: say whose identity is shown")
    if not registry.provider and (registry.exchange or registry.parameters):
        raise table.error("provider", "is missing: exchange and parameters belong to one")
    check_repositories(table, registry)
    table.done()
    return registry


def _default_provider(credentials: Iterable[CredentialEntry]) -> str | None:
    """Returns what a registry without one has: nothing is exchanged where all is stored."""
    sources = [entry.source for entry in credentials]
    return "" if sources and all(isinstance(source, Stored) for source in sources) else None


def _credential(table: Table, reuse: int, identities: Mapping[str, Identity]) -> CredentialEntry:
    entry = CredentialEntry(
        repository=table.text("repository", "*"),
        source=_source(table, identities),
        host_default=table.flag("host_default", default=False),
        reuse=table.duration("reuse", reuse),
        key=table.key,
    )
    table.done()
    return entry


def _source(table: Table, identities: Mapping[str, Identity]) -> OwnIssuer | Identity | Stored:
    named_here = [name for name in ("issuer", "identity", "store") if table.has(name)]
    if len(named_here) > 1:
        raise table.error(named_here[1], f"and {named_here[0]} exclude each other: keep one")
    if table.has("identity"):
        return named(table.text("identity"), identities, table.dotted("identity"))
    if table.has("store"):
        return _stored(table)
    if not table.has("issuer") and not table.has("role"):
        raise table.error(
            "identity", "is missing: say whose identity is shown, or name issuer and role"
        )
    return OwnIssuer(issuer=table.text("issuer"), role=table.text("role"))


def _stored(table: Table) -> Stored:
    stored = Stored(store=table.text("store"), secret=table.text("secret"))
    if stored.store not in STORES:
        raise table.error("store", f"takes {', '.join(STORES)}")
    if not stored.secret.isprintable():
        raise table.error("secret", "is no name: it holds a character that cannot be printed")
    if table.has("reuse"):
        raise table.error("reuse", "is for what is exchanged: a stored credential is read anew")
    return stored


def _listener(serve: Table, name: str) -> Listener | None:
    if not serve.has(name):
        return None
    table = serve.table(name)
    host, port = table.address("listen")
    listener = Listener(
        host=host,
        port=port,
        certificate=table.path("certificate"),
        private_key=table.path("private_key"),
    )
    if (listener.certificate is None) != (listener.private_key is None):
        raise table.error("certificate", "and private_key belong together: name both or none")
    table.done()
    return listener


def _service(name: str, table: Table) -> Service:
    insecure = table.flag("insecure", default=False)
    service = Service(
        name=name,
        issuer=table.url("issuer", insecure=insecure),
        signing_key=table.text("signing_key"),
        exchange_key=table.text("exchange_key"),
        token_ttl=_at_least(table, "token_ttl", 300, MIN_TOKEN_TTL),
        exchange_ttl=_at_least(table, "exchange_ttl", 3600, MIN_EXCHANGE_TTL),
    )
    table.done()
    return service


def _at_least(table: Table, name: str, default: int, limit: int) -> int:
    seconds = table.duration(name, default)
    if seconds < limit:
        raise table.error(name, f"is shorter than {limit}s, which clients do not take")
    return seconds


def _connection(name: str, table: Table) -> Connection:
    insecure = table.flag("insecure", default=False)
    connection = Connection(
        name=name,
        issuer=table.url("issuer", insecure=insecure),
        audiences=table.texts("audiences"),
        algorithms=table.texts("algorithms", ALGORITHMS),
        insecure=insecure,
        active=table.flag("active", default=True),
        rulesets=tuple(_ruleset(inner) for inner in table.tables("rulesets")),
    )
    if unknown := set(connection.algorithms) - set(ALGORITHMS):
        raise table.error("algorithms", f"holds {min(unknown)}: use {', '.join(ALGORITHMS)}")
    table.done()
    return connection


def _ruleset(table: Table) -> Ruleset:
    ruleset = Ruleset(
        label=table.text("label"),
        subject=table.texts("subject"),
        resources=table.texts("resources"),
        actions=frozenset(table.texts("actions")),
        username=table.text("username", ""),
    )
    if unknown := ruleset.actions - ACTIONS:
        raise table.error("actions", f"holds {min(unknown)}: use {', '.join(sorted(ACTIONS))}")
    for resource in ruleset.resources:
        if not all(resource.partition(":")[::2]):
            raise table.error("resources", f'holds {resource}: write "repository:team/*"')
    table.done()
    return ruleset
