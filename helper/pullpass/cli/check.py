"""``pullpass check``: what is wrong, and what to do."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import click
from rich.console import Console
from rich.markup import escape

from pullpass.check.finding import Finding, Level
from pullpass.check.walk import Walk
from pullpass.cli import complete
from pullpass.config.load import HOST, load
from pullpass.config.network import network_of
from pullpass.errors import ConfigError, PullpassError
from pullpass.http import HttpTransport
from pullpass.reference import parse_reference, parse_registry
from pullpass.resolve.here import minter_of

_MARKS = {
    Level.OK: "[green]✓[/]",
    Level.WARNING: "[yellow]![/]",
    Level.ERROR: "[red]✗[/]",
    Level.NOT_TRIED: "[dim]-[/]",
}


@click.command()
@click.argument("registry", required=False, shell_complete=complete.registries)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def check(registry: str | None, *, as_json: bool) -> int:
    """Walk the chain of REGISTRY, or of all that are configured.

    REGISTRY may be an image or a repository too: then its scope is asked for. The exit status is
    that of the first error, 0 if there is none: warnings are advice.
    """
    console = Console()
    status = 0
    for finding in _findings(*_split(registry)):
        status = status or finding.exit_status
        if as_json:
            click.echo(json.dumps(asdict(finding)))
        else:
            _show(console, finding)
    return status


def _findings(address: str, repository: str | None) -> Iterator[Finding]:
    try:
        config = load()
        if not config.registries:
            where = ", ".join(map(str, config.sources)) or HOST / "config.toml"
            raise ConfigError(f'no registry is configured: add [registry."HOST"] to {where}')
    except PullpassError as error:
        status = error.exit_status
        yield Finding(link="configuration", level=Level.ERROR, saw=str(error), exit_status=status)
        return
    files = ", ".join(map(str, config.sources))
    names = ", ".join(config.registries)
    yield Finding(link="configuration", level=Level.OK, saw=f"{files}: registry {names}")
    with HttpTransport(network_of(config)) as transport:
        for registry in [address] if address else config.registries:
            yield from Walk(
                config=config,
                minter=minter_of(config),
                transport=transport,
                registry=registry,
                repository=repository,
            ).findings()


def _split(wanted: str | None) -> tuple[str, str | None]:
    """Returns address and repository of what the user named, both empty where it is nothing."""
    if not wanted:
        return "", None
    if "/" not in wanted or "://" in wanted:  # a URL is refused with what to write instead
        return parse_registry(wanted), None
    reference = parse_reference(wanted)
    return reference.registry, reference.repository


def _show(console: Console, finding: Finding) -> None:
    registry = f"[bold]{escape(finding.registry)}[/] " if finding.registry else ""
    line = f"{_MARKS[finding.level]} {registry}[cyan]{finding.link}[/]: {escape(finding.saw)}"
    console.print(line, highlight=False, soft_wrap=True)
    if finding.advice:
        console.print(f"    → {escape(finding.advice)}", highlight=False, soft_wrap=True)
