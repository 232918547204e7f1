"""``pullpass get``: the credential for an image, as a pull would have it."""

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import click

from pullpass.cli import complete
from pullpass.config.load import load
from pullpass.credential import Credential
from pullpass.reference import Reference, parse_reference
from pullpass.resolve.choose import Query
from pullpass.resolve.here import resolve_here


@click.command()
@click.argument("image", shell_complete=complete.images)
@click.option("--show-secret", is_flag=True, help="Print the secret too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def get(image: str, *, show_secret: bool, as_json: bool) -> None:
    """Get a credential for IMAGE and say how it came about.

    The agent is asked first, as it is for a pull.
    """
    reference = parse_reference(image)
    given, credential = _through_agent(reference) or _here(reference)
    secret = credential.secret.reveal() if show_secret else None
    shown = {
        "registry": reference.registry,
        "repository": reference.repository,
        **given,
        "username": credential.username,
        "expires_at": _time(credential.expires_at),
        "secret": secret,
    }
    if as_json:
        click.echo(json.dumps(shown))
        return
    for name, value in {**shown, "secret": secret or "hidden (--show-secret)"}.items():
        click.echo(f"{name.replace('_', ' '):12} {value or 'not said'}")


def _through_agent(reference: Reference) -> tuple[Mapping[str, str | None], Credential] | None:
    """Returns what an agent gives, None where there is none or it leaves the work to us."""
    if sys.platform != "linux":
        return None
    from pullpass.agent.client import first_granted, places, question_of

    wanted = question_of(reference.registry, reference.repository)
    found = first_granted(places(os.environ), wanted)
    if found is None:
        return None
    path, granted = found
    how = "an earlier pull's" if granted.reused else "a fresh one"
    return {"given_by": f"the agent at {path}, {how}"}, granted.credential


def _here(reference: Reference) -> tuple[Mapping[str, str | None], Credential]:
    query = Query(registry=reference.registry, repository=reference.repository)
    found = resolve_here(load(), query)
    told: dict[str, str | None] = {
        "registry": found.registry.address,
        "given_by": "this process",
        "entry": found.entry.key,
        "source": str(found.entry.source),
    }
    if found.identity is None:
        return told, found.credential
    exchange = {
        "provider": found.registry.provider,
        "audience": found.audience,
        "subject": found.identity.said.text("sub") or None,
    }
    return told | exchange, found.credential


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
