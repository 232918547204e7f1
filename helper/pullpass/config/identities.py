"""``[identities.NAME]`` and ``identity`` of an entry: the source, and what it is told. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pullpass.config.model import Identity
from pullpass.config.reader import Table, dotted
from pullpass.errors import ConfigError

AUTO: Final = "auto"
TOKEN_REQUEST_TTL: Final = 600  # seconds; the API server gives nothing that lives shorter
_DAY: Final = 86400

_Take = Callable[[Table, str], Any]


def _text(default: str | None = None) -> _Take:
    return lambda table, name: table.text(name, default)


def _path(default: str | None = None) -> _Take:
    def take(table: Table, name: str) -> str:
        path = table.path(name)
        if path is None and default is None:
            raise table.error(name, "is missing: it takes a path from the root")
        return str(path) if path else default or ""

    return take


def _flag(*, default: bool) -> _Take:
    return lambda table, name: table.flag(name, default=default)


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


_JWT: Final = {"jwt": _flag(default=True)}

# What each source may be told, by the name of the source.
SOURCES: Final[Mapping[str, Mapping[str, _Take]]] = {
    "github-actions": {},
    "forgejo": {},
    "gitea": {},
    "gitlab": {"variable": _text("PULLPASS_ID_TOKEN")},
    "env": {"variable": _text(), **_JWT},
    "file": {"path": _path(), **_JWT},
    AUTO: {},
}


def read_identities(top: Table) -> Mapping[str, Identity]:
    """Takes the tables under ``identities``.

    Raises:
        ConfigError: for the first setting that is missing, unknown or wrong.
    """
    found = {}
    for name, table in top.named("identities"):
        source = table.text("source")
        if source not in SOURCES:
            raise table.error("source", f"takes {', '.join(SOURCES)}")
        if name in SOURCES and name != source:
            raise ConfigError("is the name of another source: choose another", key=table.key)
        found[name] = _identity(name, source, table)
    return found


def named(name: str, identities: Mapping[str, Identity], key: str) -> Identity:
    """Returns the identity that an entry names at key: a table's, or a source as it is.

    Raises:
        ConfigError: if there is none, or the source does not work without a table.
    """
    if name in identities:
        return identities[name]
    if name not in SOURCES:
        raise ConfigError(
            f"{name} is no identity: add [{dotted('identities', name)}], or name one of"
            f" {', '.join(SOURCES)}",
            key=key,
        )
    return _identity(name, name, Table({}, dotted("identities", name)))


def _identity(name: str, source: str, table: Table) -> Identity:
    parameters = {known: take(table, known) for known, take in SOURCES[source].items()}
    table.done()
    return Identity(name=name, source=source, parameters=parameters, key=table.key)
