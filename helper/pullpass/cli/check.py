"""``pullpass check``: what is wrong, and what to do."""

import json
from collections.abc import Iterable
from dataclasses import asdict

import click
from rich.console import Console
from rich.markup import escape

from pullpass.check.finding import Finding, Level
from pullpass.check.whole import findings
from pullpass.cli import complete
from pullpass.errors import UsageError
from pullpass.reference import parse_reference, parse_registry

_MARKS = {
    Level.OK: "[green]✓[/]",
    Level.WARNING: "[yellow]![/]",
    Level.ERROR: "[red]✗[/]",
    Level.NOT_TRIED: "[dim]-[/]",
}
_WIDTH = len("configuration")  # the longest link
_BELOW = " " * (_WIDTH + 4)


@click.command()
@click.argument("registry", required=False, shell_complete=complete.registries)
@click.option(
    "--expect",
    "expected",
    metavar="CLAIM=PATTERN",
    multiple=True,
    help="A claim as a rule of the registry's side wants it; * and ? are wildcards. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def check(registry: str | None, *, expected: tuple[str, ...], as_json: bool) -> int:
    """Walk the chain of REGISTRY, or of all that are configured.

    REGISTRY may be an image or a repository too: then its scope is asked for. The exit status is
    that of the first error, 0 if there is none: warnings are advice.
    """
    found = findings(*_split(registry), _claims(expected))
    return _print_json(found) if as_json else _print_table(found)


def _print_json(found: Iterable[Finding]) -> int:
    """Prints what is found as it comes, and returns the exit status."""
    status = 0
    for finding in found:
        status = status or finding.exit_status
        click.echo(json.dumps(asdict(finding)))
    return status


def _print_table(found: Iterable[Finding]) -> int:
    """As ``_print_json``, for people: each registry's links stand below its address."""
    console = Console()
    status, registry = 0, ""
    for finding in found:
        status = status or finding.exit_status
        if finding.registry != registry:
            registry = finding.registry
            console.print(f"\n[bold]{escape(registry)}[/]", highlight=False)
        _show(console, finding)
    return status


def _show(console: Console, finding: Finding) -> None:
    link = f"[cyan]{finding.link:{_WIDTH}}[/]"
    line = f"{_MARKS[finding.level]} {link}  {escape(finding.saw)}"
    console.print(line, highlight=False, soft_wrap=True)
    if finding.advice:
        console.print(f"{_BELOW}→ {escape(finding.advice)}", highlight=False, soft_wrap=True)


def _claims(expected: Iterable[str]) -> dict[str, str]:
    found = {}
    for one in expected:
        name, equals, pattern = one.partition("=")
        if not name or not equals:
            raise UsageError("--expect takes CLAIM=PATTERN, such as sub=repo:acme/*")
        found[name] = pattern
    return found


def _split(wanted: str | None) -> tuple[str, str | None]:
    """Returns address and repository of what the user named, both empty where it is nothing."""
    if not wanted:
        return "", None
    if "/" not in wanted or "://" in wanted:  # a URL is refused with what to write instead
        return parse_registry(wanted), None
    reference = parse_reference(wanted)
    return reference.registry, reference.repository
