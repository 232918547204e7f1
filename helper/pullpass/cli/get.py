"""``pullpass get``: the credential for an image, as a pull would have it."""

import json
from datetime import UTC, datetime

import click

from pullpass.cli import complete
from pullpass.config.load import load
from pullpass.reference import parse_reference
from pullpass.resolve.choose import Query
from pullpass.resolve.here import resolve_here


@click.command()
@click.argument("image", shell_complete=complete.images)
@click.option("--show-secret", is_flag=True, help="Print the secret too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def get(image: str, *, show_secret: bool, as_json: bool) -> None:
    """Get a credential for IMAGE and say how it came about."""
    reference = parse_reference(image)
    found = resolve_here(
        load(), Query(registry=reference.registry, repository=reference.repository)
    )
    secret = found.credential.secret.reveal() if show_secret else None
    shown = {
        "registry": found.registry.address,
        "repository": reference.repository,
        "entry": found.entry.key,
        "source": str(found.entry.source),
        "provider": (found.registry.provider or None) if found.identity else None,
        "audience": found.audience or None,
        "subject": (found.identity.said.text("sub") or None) if found.identity else None,
        "username": found.credential.username,
        "expires_at": _time(found.credential.expires_at),
        "secret": secret,
    }
    if as_json:
        click.echo(json.dumps(shown))
        return
    for name, value in {**shown, "secret": secret or "hidden (--show-secret)"}.items():
        click.echo(f"{name.replace('_', ' '):12} {value or 'not said'}")


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
