"""Rows in columns, for people."""

from collections.abc import Iterable, Sequence

import click


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints rows below heads, each column as wide as its widest text."""
    lines = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())
