"""The specs that come with the package."""

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from pullpass.errors import ConfigError
from pullpass.exchange.reader import read_spec
from pullpass.exchange.spec import Spec

_SUFFIX: Final = ".toml"


def names() -> tuple[str, ...]:
    """Returns the names of all providers, sorted."""
    found = (one.name for one in _folder().iterdir() if one.name.endswith(_SUFFIX))
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found))


def load(name: str) -> Spec:
    """Returns the spec of the provider name.

    Raises:
        ConfigError: if there is none of that name.
    """
    if name not in names():
        raise ConfigError(
            f"{name!r} is no provider; there are {', '.join(names())}", key="provider"
        )
    text = _folder().joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    return read_spec(tomllib.loads(text), name)


def _folder() -> Traversable:
    return files("pullpass.exchange").joinpath("providers")
