"""``pullpass secret``: static credentials, which rest in a store that the configuration names."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from pullpass.cli import complete
from pullpass.cli.table import table
from pullpass.config.load import load
from pullpass.config.model import STORES, Config
from pullpass.errors import StoreError, UsageError
from pullpass.resolve.stored import stored_in
from pullpass.secret import Secret
from pullpass.store.document import MAX_DOCUMENT
from pullpass.store.stores import Shelf

_name = click.argument("name", shell_complete=complete.secrets)
_store = click.option(
    "--store", type=click.Choice(STORES), help="Which store, where two have the same name."
)


@click.group()
def secret() -> None:
    """Static credentials of registries that know no other, each in a store of this host."""


@secret.command("set")
@_name
@_store
@click.option("--username", required=True, help="The user name that the registry wants.")
def set_(name: str, store: str | None, username: str) -> None:
    """Store the credential that an entry of the configuration calls NAME.

    The secret is asked for, or read from standard input to its end where that is no terminal.
    """
    shelf = _shelf(load(), name, store)
    shelf.save(username, _read())
    click.echo(f"stored {name} in {shelf.store}")


@secret.command()
@_name
@_store
def erase(name: str, store: str | None) -> None:
    """Erase the credential that an entry of the configuration calls NAME."""
    shelf = _shelf(load(), name, store)
    shelf.erase()
    click.echo(f"{name} is not in {shelf.store} any more")


@secret.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def list_(*, as_json: bool) -> None:
    """List the credentials that the configuration names, and whether they are there."""
    found = [_state(shelf) for shelf in _shelves(load())]
    if as_json:
        for one in found:
            click.echo(json.dumps(one))
        return
    table(
        ("secret", "store", "username"),
        ((one["secret"], one["store"], _shown(one)) for one in found),
    )


def _state(shelf: Shelf) -> dict[str, Any]:
    told: dict[str, Any] = {"secret": shelf.name, "store": shelf.store}
    try:
        credential = shelf.load()
    except StoreError as error:
        return {**told, "username": None, "error": str(error)}
    return {**told, "username": credential.username if credential else None, "error": None}


def _shown(found: dict[str, Any]) -> str:
    return found["username"] or found["error"] or "not there"


def _shelf(config: Config, name: str, store: str | None) -> Shelf:
    """Returns where name rests. Raises: UsageError where not exactly one store is named for it."""
    found = [one for one in _shelves(config) if one.name == name and store in {None, one.store}]
    if not found:
        raise UsageError(f"no entry of the configuration has secret = {json.dumps(name)}")
    if len(found) > 1:
        stores = ", ".join(one.store for one in found)
        raise UsageError(f"{name} is in several stores: use --store with one of {stores}")
    return found[0]


def _shelves(config: Config) -> Iterator[Shelf]:
    for source in stored_in(config):
        yield Shelf(store=source.store, name=source.secret, environ=os.environ)


def _read() -> Secret:
    """Returns the secret, without the end of line that ``echo`` puts behind it."""
    if sys.stdin.isatty():
        return Secret(click.prompt("secret", hide_input=True, err=True))
    text = sys.stdin.read(MAX_DOCUMENT + 1)
    found = Secret(text.removesuffix("\n").removesuffix("\r"))
    if not found:
        raise UsageError("standard input holds no secret")
    return found
