"""``pullpass issuer``: what issuers publish, and where."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from pullpass.cli import complete
from pullpass.cli.table import table
from pullpass.config.load import load
from pullpass.config.model import Config
from pullpass.config.network import network_of
from pullpass.errors import UsageError

if TYPE_CHECKING:
    from pullpass.config.issuing import Issuer
    from pullpass.keys.transit import TransitKey


@click.group()
def issuer() -> None:
    """Issuers of workload identities."""


@issuer.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an issuer.")
def list_(*, as_json: bool) -> None:
    """List the configured issuers and their roles."""
    found = load().issuers.values()
    if as_json:
        for one in found:
            click.echo(json.dumps(_told(one)))
        return
    rows = [
        (one.name, one.issuer, one.signing_key, one.algorithm, ", ".join(one.roles))
        for one in found
    ]
    table(("issuer", "url", "key", "algorithm", "roles"), rows)


@issuer.command()
@click.argument("name", shell_complete=complete.issuers)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(name: str, *, as_json: bool) -> None:
    """Show issuer NAME: its URL, its documents, and who may find fault with them."""
    from pullpass.http import run
    from pullpass.issuer.documents import discovery, jwks
    from pullpass.keys.stores import keys_of
    from pullpass.transport import HttpTransport

    config = load()
    found = _issuer(config, name)
    with HttpTransport(network_of(config)) as transport:
        key = run(keys_of(config).look(found.signing_key), transport)
    documents = {"discovery": discovery(found), "jwks": jwks(key, found.algorithm)}
    if as_json:
        told = {**_told(found), **documents, "notes": _notes(found, key)}
        click.echo(json.dumps(told))
        return
    for heading, value in _told(found).items():
        click.echo(f"{heading.replace('_', ' '):14} {_text(value)}")
    for heading, document in documents.items():
        click.echo(f"\n{heading}\n{json.dumps(document, indent=2)}")
    for note in _notes(found, key):
        click.echo(f"\n! {note}")


@issuer.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--issuer", "names", multiple=True, shell_complete=complete.issuers, help="Only this."
)
def publish(directory: Path, names: tuple[str, ...]) -> None:
    """Write the documents below DIRECTORY, the root of one host, for any server of static files."""
    from pullpass.http import run
    from pullpass.issuer.publish import publish as publish_documents
    from pullpass.keys.stores import keys_of
    from pullpass.transport import HttpTransport

    config = load()
    issuers = [_issuer(config, name) for name in names or config.issuers]
    with HttpTransport(network_of(config)) as transport:
        written = run(publish_documents(config, keys_of(config), issuers, directory), transport)
    for path in written:
        click.echo(str(path))


def _issuer(config: Config, name: str) -> "Issuer":
    if name not in config.issuers:
        raise UsageError(f"there is no issuer {name} in the configuration: add [issuers.{name}]")
    return config.issuers[name]


def _told(found: "Issuer") -> dict[str, Any]:
    return {
        "issuer": found.name,
        "discovery_url": found.issuer,
        "signing_key": found.signing_key,
        "algorithm": found.algorithm,
        "published_by": "pullpass issuer publish" if found.static else "pullpass serve issuer",
        "roles": list(found.roles),
    }


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _refusing(algorithm: str) -> list[str]:
    """Returns the providers whose other side is known to take no such signature."""
    from pullpass.exchange import catalog

    taken = {name: catalog.load(name).trust.algorithms for name in catalog.names()}
    return [
        name for name, algorithms in taken.items() if algorithms and algorithm not in algorithms
    ]


def _notes(found: "Issuer", key: "TransitKey") -> list[str]:
    """Returns what some relying parties do not take, and what stands in the key's record."""
    notes = []
    parts = urlsplit(found.issuer)
    if parts.port is not None:
        notes.append("the URL has a port, which AWS does not take")
    if parts.netloc != parts.netloc.lower():
        notes.append("the URL's host has capital letters, which some compare as they are")
    if refusing := _refusing(found.algorithm):
        notes.append(
            f"the other side of {', '.join(refusing)} takes no {found.algorithm}: give registries"
            " there an issuer with a key of another type"
        )
    before = key.issuers.get(found.name, found.issuer)
    if before != found.issuer:
        notes.append(f"it has signed as {before}, and nothing is minted under another URL")
    return notes
