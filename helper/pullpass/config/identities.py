"""``[identities.NAME]`` and ``identity`` of an entry: the source, and what it is told. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from pullpass.config.enrolment import read_facts
from pullpass.config.model import Identity
from pullpass.config.reader import Table, dotted
from pullpass.errors import ConfigError

AUTO: Final = "auto"
REMOTE: Final = "remote"
_PROOFS: Final = ("key", "token_file", "bearer")  # by which a host shows an issuer who it is
# What auto asks, in this order. Only what is given to one job or one workload: a cloud's metadata
# speak for the whole machine, and nobody is to show that by chance.
ORDER: Final = (
    *("forgejo", "gitea", "github-actions", "gitlab", "circleci", "buildkite", "bitbucket"),
    *("azure-pipelines", "terraform-cloud", "fly", "spiffe", "kubernetes"),
)
METADATA: Final = "http://169.254.169.254"
PROJECTED: Final = "/var/run/secrets/pullpass/token"
SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"

_FRAMING: Final = frozenset({"connection", "content-length", "transfer-encoding"})  # of a request
_Take = Callable[[Table, str], Any]


def _text(default: str | None = None) -> _Take:
    return lambda table, name: table.text(name, default)


def _texts(default: tuple[str, ...] | None = None) -> _Take:
    def take(table: Table, name: str) -> tuple[str, ...]:
        found = table.texts(name, default)
        if not found and default is None:
            raise table.error(name, "is empty: name the program and its arguments")
        return found

    return take


def _path(default: str | None = None) -> _Take:
    def take(table: Table, name: str) -> str:
        path = table.path(name)
        if path is None and default is None:
            raise table.error(name, "is missing: it takes a path from the root")
        return str(path) if path else default or ""

    return take


def _url(default: str | None = None) -> _Take:
    def take(table: Table, name: str) -> str:
        return table.url(name, insecure=True) if table.has(name) or default is None else default

    return take


def _seconds(default: int, least: int, most: int) -> _Take:
    def take(table: Table, name: str) -> int:
        seconds = table.duration(name, default)
        if not least <= seconds <= most:
            raise table.error(name, f"takes a duration from {least}s to {most}s")
        return seconds

    return take


def _one_of(*values: str) -> _Take:
    def take(table: Table, name: str) -> str:
        value = table.text(name, values[0])
        if value not in values:
            raise table.error(name, f"takes {', '.join(values)}")
        return value

    return take


def _mapping(table: Table, name: str) -> Mapping[str, str]:
    return table.mapping(name)


def _headers(table: Table, name: str) -> Mapping[str, str]:
    found = table.mapping(name)
    if ours := next((one for one in found if one.lower() in _FRAMING), ""):
        raise ConfigError(
            "is written by what sends the request: leave it out",
            key=f"{table.dotted(name)}.{dotted(ours)}",
        )
    return found


_JWT: Final[Mapping[str, _Take]] = {"jwt": lambda table, name: table.flag(name, default=True)}
# Of a token whose audience the platform fixes: another than that which the provider wants.
_FIXED: Final[Mapping[str, _Take]] = {"audience": _text("")}
_OPENBAO: Final[Mapping[str, _Take]] = {
    "role": _text(),
    "address": _url(""),
    "token_file": _path(""),
    "namespace": _text(""),
    **_FIXED,
}
_SPIFFE: Final[Mapping[str, _Take]] = {"socket": _text(""), "spiffe_id": _text("")}

# What each source may be told, by the name of the source.
SOURCES: Final[Mapping[str, Mapping[str, _Take]]] = {
    "github-actions": {},
    "forgejo": {},
    "gitea": {},
    "gitlab": {"variable": _text("PULLPASS_ID_TOKEN"), **_FIXED},
    "circleci": {"root_issuer": lambda table, name: table.flag(name, default=False)},
    "buildkite": {},
    "bitbucket": _FIXED,
    "azure-pipelines": {"service_connection": _text(""), **_FIXED},
    "terraform-cloud": {"tag": _text(""), **_FIXED},
    "kubernetes": {"path": _path(PROJECTED), **_FIXED},
    "kubernetes-token-request": {
        "service_account": _text(),
        "namespace": _text(""),
        "server": _url(""),
        "directory": _path(SERVICE_ACCOUNT),
        "lifetime": _seconds(600, 600, 86400),  # the API server gives none that lives shorter
    },
    "spiffe": _SPIFFE,
    "spire-agent": _SPIFFE,
    "openbao": _OPENBAO,
    "vault": _OPENBAO,
    "aws": {
        "region": _text(""),
        "credentials": _one_of("any", "environment", "container", "instance"),
        "algorithm": _one_of("RS256", "ES384"),
        "lifetime": _seconds(300, 60, 3600),
        "endpoint": _url(METADATA),
    },
    "gcp": {"service_account": _text("default"), "endpoint": _url(METADATA)},
    "azure": {
        "resource": _text(""),
        "client_id": _text(""),
        "endpoint": _url(METADATA),
        **_FIXED,
    },
    "fly": {"socket": _path("/.fly/api")},
    "remote": {
        "issuer": _url(),
        "role": _text(),
        "node": _text(""),
        "key": _path(""),
        "token_file": _path(""),
        "bearer": _text(""),
        "facts": lambda table, _: read_facts(table),
    },
    "env": {"variable": _text(), **_FIXED, **_JWT},
    "file": {"path": _path(), **_FIXED, **_JWT},
    "exec": {
        "command": _texts(),
        "environ": _texts(()),
        "out": _text(""),
        "timeout": _seconds(10, 1, 15),
        **_JWT,
    },
    "http": {
        "url": _url(),
        "method": _one_of("GET", "POST"),
        "query": _mapping,
        "headers": _headers,
        "fields": _mapping,
        "bearer_file": _path(""),
        "bearer_variable": _text(""),
        "out": _text(""),
        **_JWT,
    },
    AUTO: {},
}


def read_identities(top: Table) -> Mapping[str, Identity]:
    """Takes the tables under ``identities``.

    Raises:
        ConfigError: for the first setting that is missing, unknown or wrong.
    """
    found: dict[str, Identity] = {}
    for name, table in top.named("identities"):
        source = table.text("source")
        if source not in SOURCES:
            raise table.error("source", f"takes {', '.join(SOURCES)}")
        if name in SOURCES and name != source:
            raise ConfigError("is the name of another source: choose another", key=table.key)
        found[name] = _identity(name, source, table)
    return {name: _proving(identity, found) for name, identity in found.items()}


def named(name: str, identities: Mapping[str, Identity], key: str) -> Identity:
    """Returns the identity that an entry names at key: a table's, or a source as it is.

    ``auto`` is told, for each source, what the table of the source's name says.

    Raises:
        ConfigError: if there is none, or the source does not work without a table.
    """
    if name not in identities and name not in SOURCES:
        raise ConfigError(
            f"{name} is no identity: add [{dotted('identities', name)}], or name one of"
            f" {', '.join(SOURCES)}",
            key=key,
        )
    found = identities.get(name) or _identity(name, name, Table({}, dotted("identities", name)))
    if found.source != AUTO:
        return found
    told = {each: named(each, identities, key).parameters for each in ORDER}
    return replace(found, parameters=told)


def _proving(identity: Identity, others: Mapping[str, Identity]) -> Identity:
    """Returns identity with the one that it shows itself, where its source is ``remote``."""
    told = identity.parameters
    if identity.source != REMOTE:
        return identity
    if sum(bool(told[name]) for name in _PROOFS) != 1:
        raise ConfigError(
            f"is proven by one of {', '.join(_PROOFS)}: set exactly one", key=identity.key
        )
    if told["key"] and not told["node"]:
        raise ConfigError(
            "is missing: name this host as it is enrolled at the issuer", key=f"{identity.key}.node"
        )
    key = f"{identity.key}.bearer"
    bearer = named(told["bearer"], others, key) if told["bearer"] else None
    if bearer and bearer.source == REMOTE:
        raise ConfigError("is had of an issuer itself: name what a platform gives", key=key)
    return replace(identity, parameters={**told, "bearer": bearer})


def _identity(name: str, source: str, table: Table) -> Identity:
    parameters = {known: take(table, known) for known, take in SOURCES[source].items()}
    table.done()
    return Identity(name=name, source=source, parameters=parameters, key=table.key)
