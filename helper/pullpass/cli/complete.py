"""What a shell may complete: the names that the configuration has."""

import os
from collections.abc import Iterable
from pathlib import Path

import click

from pullpass.config.load import VARIABLE, load
from pullpass.config.model import Config
from pullpass.errors import PullpassError
from pullpass.resolve.stored import stored_in


def registries(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Returns the addresses of registries that begin with incomplete."""
    return _beginning(_config(context).registries, incomplete)


def images(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Returns what an image begins with that incomplete begins with."""
    return _beginning((f"{name}/" for name in _config(context).registries), incomplete)


def issuers(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Returns the names of issuers that begin with incomplete."""
    return _beginning(_config(context).issuers, incomplete)


def roles(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Returns the names of roles: of ``--issuer`` where it stands before, else of all issuers."""
    found = _config(context).issuers
    named = found.get(context.params.get("issuer", ""))
    asked = [named] if named else found.values()
    return _beginning(dict.fromkeys(role for issuer in asked for role in issuer.roles), incomplete)


def keys(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Returns the names of transit keys that begin with incomplete."""
    return _beginning(_config(context).keys, incomplete)


def secrets(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Returns the names of static credentials that begin with incomplete."""
    return _beginning((one.secret for one in stored_in(_config(context))), incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _config(context: click.Context) -> Config:
    """Returns the settings that the typed line means, none where they are wrong."""
    named = context.find_root().params.get("config")
    try:
        return load({**os.environ, VARIABLE: named} if named else os.environ)
    except PullpassError:
        return Config(state_dir=Path())
