"""``pullpass agent``: the resident process, and how it is."""

import json
import os
from pathlib import Path

import click

from pullpass.config.load import load
from pullpass.errors import AgentUnavailable


@click.group(invoke_without_command=True)
@click.pass_context
def agent(context: click.Context) -> None:
    """Run the resident process, which keeps connections warm and shares what is asked at once.

    It listens at /run/pullpass/agent.sock as root, else at $XDG_RUNTIME_DIR/pullpass/agent.sock,
    reads its configuration again at SIGHUP and ends at SIGTERM.
    """
    if context.invoked_subcommand is None:
        from pullpass.agent.server import run_agent

        run_agent(load)


@agent.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--socket", help="Where it listens; where this user's pulls look if left out.")
def status(socket: str | None, *, as_json: bool) -> None:
    """Say how the agent is."""
    from pullpass.agent.client import first_status, places

    paths = [Path(socket)] if socket else places(os.environ)
    if not paths:
        raise AgentUnavailable("pulls ask no agent where PULLPASS_CONFIG is set: use --socket")
    _, found = first_status(paths)
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, value in found.items():
        if not isinstance(value, dict):
            click.echo(f"{name.replace('_', ' '):14} {_text(value)}")
    for name, value in found["counters"].items():
        shown = ", ".join(f"{key}: {one}" for key, one in value.items()) if _many(value) else value
        click.echo(f"{name:14} {shown or 'none'}")


def _many(value: object) -> bool:
    return isinstance(value, dict)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
