"""``pullpass node-key``: the key by which this host proves itself to an issuer elsewhere."""

import os

import click

from pullpass.cli import complete
from pullpass.cli.key import config_of, keys_of_config, run_flow


@click.group("node-key")
def node_key() -> None:
    """The key by which this host proves itself to an issuer on another host."""


_name = click.argument("name", shell_complete=complete.keys)
_node = click.option("--node", default=lambda: os.uname().nodename, help="This host's name there.")


@node_key.command()
@_name
@_node
def create(name: str, node: str) -> None:
    """Create key NAME, and print what enrolls it. Its private half stays here."""
    config = config_of(name)
    run_flow(config, keys_of_config(config).create(name))
    _enrolment(name, node)


@node_key.command()
@_name
@_node
def show(name: str, node: str) -> None:
    """Print what enrolls key NAME at the issuer: its public half, which is no secret."""
    _enrolment(name, node)


def _enrolment(name: str, node: str) -> None:
    from pullpass.config.reader import dotted

    config = config_of(name)
    click.echo(f"[issuers.ISSUER.nodes.{dotted(node)}]")
    shown = run_flow(config, keys_of_config(config).look(name)).published
    keys = [_inline(version.public.jwk(version.kid)) for version in shown]
    click.echo(f"keys = [{', '.join(keys)}]")


def _inline(jwk: dict[str, str]) -> str:
    members = (
        f'{member} = "{jwk[member]}"'
        for member in ("kty", "crv", "x", "y", "n", "e")
        if member in jwk
    )
    return f"{{ {', '.join(members)} }}"
