"""``pullpass key``: transit keys. No other command creates one."""

import json

import click

from pullpass.cli import complete
from pullpass.config.load import load
from pullpass.errors import UsageError
from pullpass.keys.file import FileKeyStore


@click.group()
def key() -> None:
    """Transit keys, which sign."""


@key.command()
@click.argument("name", shell_complete=complete.keys)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def create(name: str, *, as_json: bool) -> None:
    """Create the key that the configuration calls [keys.NAME]."""
    store = _store(name)
    version = store.create(name).active
    if as_json:
        click.echo(json.dumps({"key": name, "version": version.number, "kid": version.kid}))
    else:
        click.echo(f"created key {name}, version {version.number}, kid {version.kid}")


@key.command()
@click.argument("name", shell_complete=complete.keys)
@click.option("--name", "common_name", default="pullpass", help="The certificate's subject.")
def certificate(name: str, common_name: str) -> None:
    """Print a certificate of key NAME, as a registry's rootcertbundle wants it."""
    if not 0 < len(common_name) <= 64 or not (common_name.isascii() and common_name.isprintable()):
        raise UsageError("--name takes 1 to 64 printable ASCII characters")
    click.echo(_store(name).load(name).active.key.certificate(common_name).decode(), nl=False)


def _store(name: str) -> FileKeyStore:
    """Returns where the key name belongs. Raises: UsageError if it is not configured."""
    config = load()
    if name not in config.keys:
        raise UsageError(f"there is no key {name} in the configuration: add [keys.{name}] first")
    return FileKeyStore(directory=config.state_dir / "keys")
