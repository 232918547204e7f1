"""Finds the configuration files, reads them as one and says where state lives."""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pullpass.config.model import Config, ProviderFile
from pullpass.config.parse import parse
from pullpass.config.reader import dotted, is_name
from pullpass.errors import ConfigError, InvalidReference
from pullpass.reference import parse_registry

VARIABLE: Final = "PULLPASS_CONFIG"
PROVIDERS: Final = "providers.d"  # beside the configuration
MAX_FILE: Final = 1 << 20  # bytes
HOST: Final = Path("/etc/pullpass")
HOST_STATE: Final = Path("/var/lib/pullpass")


def load(environ: Mapping[str, str] = os.environ, host: Path = HOST) -> Config:
    """Returns the settings of PULLPASS_CONFIG's file, else of the host's and the user's files.

    Raises:
        ConfigError: if a file cannot be read or a setting is wrong.
    """
    files = _files(environ, host)
    tables = [(path, _read(path)) for path in files]
    state = state_dir(environ, is_root=_is_root())
    merged = merge(tables)
    try:
        config = parse(merged, state)
    except ConfigError as error:
        raise _with_file(error, tables) from error
    providers = _providers(_provider_files(environ, host))
    return replace(config, sources=tuple(files), providers=providers)


def state_dir(environ: Mapping[str, str], *, is_root: bool) -> Path:
    """Returns where keys and audit live unless a file says otherwise."""
    home = _home(environ, "XDG_STATE_HOME", ".local/state")
    return HOST_STATE if is_root or home is None else home / "pullpass"


def merge(tables: Iterable[tuple[Path, Mapping[str, Any]]]) -> dict[str, Any]:
    """Returns the union of tables. What two files set is an error that names both.

    Raises:
        ConfigError: for a setting, or a name within a table of names, that stands in two files.
    """
    merged: dict[str, Any] = {}
    origins: dict[tuple[str, ...], Path] = {}
    for path, values in tables:
        for section, value in values.items():
            _open(merged, section, value)
        for place, value in _places(values):
            origin = origins.setdefault(_identity(place), path)
            if origin != path:
                raise ConfigError(f"stands in {origin} and in {path}: keep one", key=dotted(*place))
            if len(place) == 2:
                merged[place[0]][place[1]] = value
    return merged


def _with_file(error: ConfigError, tables: Sequence[tuple[Path, Mapping[str, Any]]]) -> ConfigError:
    """Returns error with the file that it is about, where there are several to choose from."""
    found = [
        path
        for path, values in tables
        for place, _ in _places(values)
        if f"{error.key}.".startswith((f"{dotted(*place)}.", f"{dotted(*place)}["))
    ]
    if len(tables) < 2 or not found:
        return error
    return ConfigError(f"{error.reason} (in {found[0]})", key=error.key)


def _open(merged: dict[str, Any], section: str, value: Any) -> None:
    """Puts a value, or an empty table for its names; left empty, it may still be unknown."""
    inner = merged.setdefault(section, {} if isinstance(value, dict) else value)
    if isinstance(inner, dict) is not isinstance(value, dict):
        raise ConfigError("is a table in one file and a value in another", key=section)


def _places(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yields what one file sets, at most two names deep."""
    for section, value in values.items():
        if isinstance(value, dict):
            yield from (((section, name), inner) for name, inner in value.items())
        else:
            yield (section,), value


def _identity(place: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the same for every spelling of a registry."""
    match place:
        case ("registry", written):
            try:
                return "registry", parse_registry(written)
            except InvalidReference:
                return place  # which ``parse`` refuses
    return place


def _files(environ: Mapping[str, str], host: Path) -> list[Path]:
    if named := environ.get(VARIABLE):
        return [Path(named)]
    found = [host / "config.toml", *sorted((host / "conf.d").glob("*.toml"))]
    if home := _home(environ, "XDG_CONFIG_HOME", ".config"):
        found.append(home / "pullpass" / "config.toml")
    return [path for path in found if _is_there(path)]


def _provider_files(environ: Mapping[str, str], host: Path) -> list[Path]:
    if named := environ.get(VARIABLE):
        folders = [Path(named).parent]
    else:
        home = _home(environ, "XDG_CONFIG_HOME", ".config")
        folders = [host, *([home / "pullpass"] if home else [])]
    return [path for folder in folders for path in sorted((folder / PROVIDERS).glob("*.toml"))]


def _providers(paths: Iterable[Path]) -> dict[str, ProviderFile]:
    found: dict[str, ProviderFile] = {}
    for path in paths:
        name = path.stem
        if not is_name(name):
            raise ConfigError(f"{path} names no provider: use a-z, 0-9, '-', '_' and '.'")
        if name in found:
            raise ConfigError(
                f"stands in {found[name].path} and in {path}: keep one",
                key=dotted("providers", name),
            )
        found[name] = ProviderFile(path=path, content=_read(path))
    return found


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(path, error) from error
    return True


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path} cannot be read: {error.strerror}")


def _home(environ: Mapping[str, str], variable: str, below: str) -> Path | None:
    # XDG Base Directory Specification: a path that is not absolute is invalid and ignored.
    if Path(environ.get(variable, "")).is_absolute():
        return Path(environ[variable])
    home = environ.get("HOME") or environ.get("USERPROFILE", "")
    return Path(home) / below if home else None


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(raw) > MAX_FILE:
        raise ConfigError(f"{path} is longer than {MAX_FILE} bytes")
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits included
        raise ConfigError(f"{path} is not TOML: {error}") from error
