"""How steps are shown: colours and a spinner on a terminal, plain lines in a pipe, or JSON."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from pullpass.demo.step import Display, Step


@contextmanager
def display_for(*, as_json: bool) -> Iterator[Display]:
    """Gives the display that suits stdout, and leaves the terminal as it was."""
    console = Console()
    if as_json or not console.is_terminal:
        yield JsonLines() if as_json else PlainLines()
        return
    terminal = Terminal(console=console)
    try:
        yield terminal
    finally:
        terminal.stop()


class JsonLines:
    """One JSON object a line, one line a step."""

    def begin(self, title: str) -> None:
        """Says nothing: a line is written when the step is done."""

    def end(self, step: Step) -> None:
        """Writes step."""
        line = {
            "step": step.name,
            "title": step.title,
            **step.facts,
            "seconds": round(step.seconds, 4),
        }
        click.echo(json.dumps(line))


class PlainLines:
    """Indented text without colours."""

    def begin(self, title: str) -> None:
        """Says nothing: a pipe wants whole lines."""

    def end(self, step: Step) -> None:
        """Writes step."""
        click.echo(f"{step.title}  ({_duration(step.seconds)})")
        for name, value in _lines(step.facts):
            click.echo(f"    {name:17} {value}")


@dataclass(slots=True, kw_only=True)
class Terminal:
    """Colours, and a spinner while a step runs."""

    console: Console
    status: Status | None = field(default=None)

    def begin(self, title: str) -> None:
        """Shows a spinner beside title."""
        self.status = self.console.status(f"{escape(title)} …")
        self.status.start()

    def end(self, step: Step) -> None:
        """Shows step in place of the spinner."""
        self.stop()
        duration = _duration(step.seconds)
        self.console.print(f"[green]✓[/] [bold]{escape(step.title)}[/]  [dim]{duration}[/]")
        for name, value in _lines(step.facts):
            self.console.print(f"    [cyan]{name:17}[/] {escape(value)}", highlight=False)

    def stop(self) -> None:
        """Takes the spinner away."""
        if self.status is not None:
            self.status.stop()


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _lines(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields a name and a text a line; lists and tables take a line for each of theirs."""
    for name, value in facts.items():
        label = name.replace("_", " ")
        if isinstance(value, Mapping):
            for inner, text in value.items():
                yield label, f"{inner} = {_text(inner, text)}"
                label = ""
        else:
            for text in (value or ["none"]) if isinstance(value, list) else [value]:
                yield label, str(text)
                label = ""


def _text(claim: str, value: Any) -> str:
    if claim in {"exp", "iat", "nbf"} and isinstance(value, int):
        return f"{value} ({datetime.fromtimestamp(value, UTC):%H:%M:%S} UTC)"
    return str(value)
