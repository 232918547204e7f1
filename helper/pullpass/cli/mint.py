"""``pullpass mint``: a token of a role, to look at or to show somewhere by hand."""

import json

import click

from pullpass.cli import complete
from pullpass.config.load import load
from pullpass.config.reader import seconds
from pullpass.identity.facts import process_facts
from pullpass.issuer.role import MintRequest
from pullpass.resolve.here import minter_of


def _seconds(_: click.Context, __: click.Parameter, written: str | None) -> int | None:
    """Returns the seconds of a duration or of a bare number of them."""
    if written is None:
        return None
    amount = f"{written}s" if written.isdecimal() else written
    try:
        return seconds(amount)
    except ValueError as error:
        raise click.BadParameter('takes a duration such as "5m"') from error


@click.command()
@click.option(
    "--issuer",
    required=True,
    shell_complete=complete.issuers,
    help="The issuer's name in the configuration.",
)
@click.option("--role", required=True, shell_complete=complete.roles, help="The role's name.")
@click.option(
    "--audience",
    "audiences",
    multiple=True,
    shell_complete=complete.registries,
    help="Who the token is for.",
)
@click.option("--ttl", callback=_seconds, help="As 5m or 300; the role's default if left out.")
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
