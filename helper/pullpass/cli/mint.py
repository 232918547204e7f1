"""``pullpass mint``: a token of a role, to look at or to show somewhere by hand."""

import json

import click

from pullpass.config.load import load
from pullpass.identity.facts import process_facts
from pullpass.issuer.role import MintRequest
from pullpass.resolve.here import minter_of


@click.command()
@click.option("--issuer", required=True, help="The issuer's name in the configuration.")
@click.option("--role", required=True, help="The role's name.")
@click.option("--audience", "audiences", multiple=True, help="Who the token is for.")
@click.option("--ttl", type=int, help="Seconds; the role's default if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the claims beside the token.")
def mint(
    issuer: str, role: str, audiences: tuple[str, ...], ttl: int | None, *, as_json: bool
) -> None:
    """Mint a token. It is a secret until it expires."""
    request = MintRequest(audiences=audiences, ttl=ttl, facts=process_facts())
    minted = minter_of(load()).mint(issuer, role, request)
    if as_json:
        click.echo(json.dumps({"jwt": minted.token.reveal(), "claims": dict(minted.claims)}))
    else:
        click.echo(minted.token.reveal())
