"""The specs that come with the package, and those that somebody wrote beside them."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from pullpass.config.model import ProviderFile
from pullpass.errors import ConfigError
from pullpass.exchange.reader import read_spec
from pullpass.exchange.spec import Spec

NONE: Final[Mapping[str, ProviderFile]] = MappingProxyType({})
_SUFFIX: Final = ".toml"


def names(own: Iterable[str] = ()) -> tuple[str, ...]:
    """Returns the names of all providers, sorted; own are somebody's."""
    found = (one.name for one in _folder().iterdir() if one.name.endswith(_SUFFIX))
    return tuple(sorted({*own, *(name.removesuffix(_SUFFIX) for name in found)}))


def load(name: str, own: Mapping[str, ProviderFile] = NONE, key: str = "provider") -> Spec:
    """Returns the spec of the provider name, which may be one of somebody's own.

    Args:
        name: of the provider.
        own: somebody's, by name.
        key: the dotted key that names the provider.

    Raises:
        ConfigError: if there is no provider of that name, or its own file is wrong.
    """
    shipped = names()
    if name in own:
        return _read_own(name, own[name], shipped)
    if name not in shipped:
        raise ConfigError(f"{name} is no provider: use {', '.join(names(own))}", key=key)
    text = _folder().joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    return read_spec(tomllib.loads(text), name)


def _read_own(name: str, file: ProviderFile, shipped: tuple[str, ...]) -> Spec:
    if name in shipped:
        raise ConfigError(f"{file.path}: {name} comes with pullpass: give yours another name")
    try:
        return read_spec(file.content, name)
    except ConfigError as error:
        raise ConfigError(f"{error.reason} (in {file.path})", key=error.key) from error


def _folder() -> Traversable:
    return files("pullpass.exchange").joinpath("providers")
