"""Reads one TOML table strictly: exact types, dotted names in errors, nothing left unread."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from pullpass.errors import ConfigError, InvalidReference
from pullpass.origin import is_loopback
from pullpass.reference import parse_registry

T = TypeVar("T")

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)
_DURATION: Final = re.compile(r"(?:\d{1,6}[ydhms])+", re.ASCII)
# RFC 3986 §3.3
_URL_PATH: Final = re.compile(r"(?:[A-Za-z0-9/._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_ADDRESS: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_SECONDS: Final = {"y": 365 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
_SHOWN: Final = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}


def dotted(*names: str) -> str:
    """Returns the dotted key of names, quoted where TOML needs it."""
    return ".".join(name if _BARE.fullmatch(name) else _quoted(name) for name in names)


def is_name(text: str) -> bool:
    """Tells whether text may name what others refer to, such as ``docker-pull``."""
    return _NAME.fullmatch(text) is not None


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def seconds(text: str) -> int:
    """Returns the seconds of a duration such as ``1h30m``. Raises: ValueError if it is none."""
    if not _DURATION.fullmatch(text):
        raise ValueError("not a duration")
    parts = re.findall(r"(\d+)([ydhms])", text)
    return sum(int(amount) * _SECONDS[unit] for amount, unit in parts)


class Table:
    """A TOML table and the dotted key it stands under. ``done`` refuses what nobody took."""

    def __init__(self, values: Mapping[str, Any], key: str = "") -> None:
        self._values = dict(values)
        self.key = key

    def dotted(self, name: str) -> str:
        """Returns the dotted key of name within this table."""
        return f"{self.key}.{dotted(name)}" if self.key else dotted(name)

    def error(self, name: str, message: str) -> ConfigError:
        """Returns a ConfigError about the setting name."""
        return ConfigError(message, key=self.dotted(name))

    def has(self, name: str) -> bool:
        """Tells whether name is set and was not taken yet."""
        return name in self._values

    def names(self) -> tuple[str, ...]:
        """Returns the names that are set and were not taken yet."""
        return tuple(self._values)

    def peek(self, name: str) -> Any:
        """Returns what stands at name without taking it."""
        return self._values.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """Takes a text which is not empty. Raises: ConfigError."""
        value = self._take(name, str, default)
        if not value and value != default:
            raise self.error(name, "is empty: write a value or leave it out")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Takes true or false. Raises: ConfigError."""
        return self._take(name, bool, default)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Takes a whole number from least to most. Raises: ConfigError."""
        value = self._take(name, int, default)
        if not least <= value <= most:
            raise self.error(name, f"takes a whole number from {least} to {most}")
        return value

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Takes a list of texts. Raises: ConfigError."""
        values = self._take(name, list, None if default is None else list(default))
        if not all(isinstance(value, str) and value for value in values):
            raise self.error(name, 'takes a list of texts, such as ["one", "two"]')
        return tuple(values)

    def duration(self, name: str, default: int) -> int:
        """Takes a duration such as ``1h30m`` and returns its seconds. Raises: ConfigError."""
        if not self.has(name):
            return default
        wrong = self.error(name, 'takes a duration such as "5m", "1h30m" or "90d"')
        try:
            found = seconds(self.text(name))
        except ValueError as error:
            raise wrong from error
        if not found:
            raise wrong
        return found

    def origin(self, name: str, *, insecure: bool) -> str:
        """Takes an origin, ``https://host[:port]``, empty if not there. Raises: ConfigError."""
        if not self.has(name):
            return ""
        value = self.url(name, insecure=insecure)
        if urlsplit(value).path:
            raise self.error(name, 'takes an origin without a path, such as "https://host:port"')
        return value

    def url(self, name: str, default: str | None = None, *, insecure: bool) -> str:
        """Takes an https URL without query; http to loopback if insecure. Raises: ConfigError."""
        value = self.text(name, default)
        try:
            parts = urlsplit(value)
            parse_registry(parts.netloc)
        except (ValueError, InvalidReference) as error:
            raise self.error(name, "takes a URL such as https://host:port/path") from error
        if f"{parts.scheme}://{parts.netloc}{parts.path}" != value or value.endswith("/"):
            raise self.error(name, "takes a URL without query, fragment and closing slash")
        if not _URL_PATH.fullmatch(parts.path):
            raise self.error(name, "holds a character that a URL has percent-encoded")
        if parts.scheme == "http" and not (insecure and is_loopback(parts.hostname or "")):
            raise self.error(
                name, "is plain http: use https (insecure = true allows http, to loopback only)"
            )
        if parts.scheme not in {"http", "https"}:
            raise self.error(name, "must begin with https://")
        return value

    def address(self, name: str) -> tuple[str, int]:
        """Takes ``host:port``, an IPv6 host in brackets. Raises: ConfigError."""
        found = _ADDRESS.fullmatch(self.text(name))
        if not found or not 0 < int(found[2]) < 1 << 16:
            raise self.error(name, 'takes address and port, such as "127.0.0.1:8441"')
        return found[1].strip("[]"), int(found[2])

    def path(self, name: str) -> Path | None:
        """Takes an absolute path, None if it is not there. Raises: ConfigError."""
        if not self.has(name):
            return None
        value = self.text(name)
        path = Path(value)
        if not path.is_absolute() or not value.isprintable():
            raise self.error(name, "takes a path from the root, such as /etc/pullpass/tls.pem")
        return path

    def mapping(self, name: str) -> dict[str, str]:
        """Takes a table of texts, empty if it is not there. Raises: ConfigError."""
        values = self._take(name, dict, {})
        for inner, value in values.items():
            if not isinstance(value, str):
                raise Table(values, self.dotted(name)).error(inner, "takes text")
        return values

    def rest(self) -> dict[str, Any]:
        """Takes all that is left, whatever it is."""
        values, self._values = self._values, {}
        return values

    def table(self, name: str) -> "Table":
        """Takes a table, empty if it is not there. Raises: ConfigError."""
        return Table(self._take(name, dict, {}), self.dotted(name))

    def each(self) -> Iterator[tuple[str, "Table"]]:
        """Takes all that is left, tables under free keys. Raises: ConfigError."""
        for name in list(self._values):
            yield name, self.table(name)

    def named(self, name: str) -> Iterator[tuple[str, "Table"]]:
        """Takes a table of tables under names such as ``docker-pull``. Raises: ConfigError."""
        outer = self.table(name)
        for inner, table in outer.each():
            if not is_name(inner):
                raise outer.error(inner, "is not a name: use a-z, 0-9, '-', '_' and '.'")
            yield inner, table

    def tables(self, name: str) -> Iterator["Table"]:
        """Takes a list of tables, empty if it is not there. Raises: ConfigError."""
        for at, value in enumerate(self._take(name, list, [])):
            if not isinstance(value, dict):
                raise self.error(name, f"takes tables: write [[{self.dotted(name)}]]")
            yield Table(value, f"{self.dotted(name)}[{at}]")

    def done(self) -> None:
        """Refuses settings that nobody took. Raises: ConfigError."""
        for name in self._values:
            raise self.error(name, "is not a setting that pullpass knows: mend or remove it")

    def _take(self, name: str, kind: type[T], default: T | None) -> T:
        value = self._values.pop(name, default)
        if value is None:
            raise self.error(name, f"is missing: it takes {_SHOWN[kind]}")
        if type(value) is not kind:
            raise self.error(name, f"takes {_SHOWN[kind]}")
        return value
