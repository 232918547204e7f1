"""``pullpass mint``: a token of a role, to look at or to show somewhere by hand."""

import json
from typing import Any

import click

from pullpass.cli import complete
from pullpass.config.load import load
from pullpass.config.network import network_of
from pullpass.config.reader import seconds
from pullpass.errors import UsageError
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
@click.option("--subject", default="", help="Its subject, where the role leaves it to you.")
@click.option("--claim", "claims", multiple=True, help="A further claim: NAME=TEXT or NAME=JSON.")
@click.option("--ttl", callback=_seconds, help="As 5m or 300; the role's default if left out.")
@click.option("--validate", is_flag=True, help="Say what it would hold, and mint nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the claims beside the token.")
def mint(
    *,
    issuer: str,
    role: str,
    audiences: tuple[str, ...],
    subject: str,
    claims: tuple[str, ...],
    ttl: int | None,
    validate: bool,
    as_json: bool,
) -> None:
    """Mint a token. It is a secret until it expires."""
    from pullpass.http import run
    from pullpass.transport import HttpTransport

    config = load()
    request = MintRequest(
        audiences=audiences,
        subject=subject,
        claims=dict(_claim(text) for text in claims),
        ttl=ttl,
        facts=process_facts(),
    )
    minter = minter_of(config)
    if validate:
        found = dict(minter.foresee(issuer, role, request))
        click.echo(json.dumps({"claims": found} if as_json else found))
        return
    with HttpTransport(network_of(config)) as transport:
        minted = run(minter.mint(issuer, role, request), transport)
    if as_json:
        click.echo(json.dumps({"jwt": minted.token.reveal(), "claims": dict(minted.claims)}))
    else:
        click.echo(minted.token.reveal())


def _claim(text: str) -> tuple[str, Any]:
    """Returns name and value of ``env=prod``, ``level=3`` or ``groups=["a", "b"]``."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError("--claim takes NAME=VALUE, such as env=prod")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value
