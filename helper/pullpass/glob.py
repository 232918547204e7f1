"""The one pattern language of every rule: anchored, case-sensitive, three wildcards, no escapes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_STEP: Final = re.compile(r"\*\*|.", re.DOTALL)


def matches(pattern: str, text: str, *, boundary: str = "") -> bool:
    """Tells whether pattern describes the whole of text.

    ``?`` is one character and ``*`` any run of characters, both outside boundary; ``**`` is any run
    at all; every other character is itself. All readings are followed at once, so that the time
    grows with the product of both lengths, whatever the pattern.
    """
    literal = re.split(r"[*?]", pattern, maxsplit=1)[0]
    if literal == pattern or not text.startswith(literal):
        return pattern == text  # as most do: the literal beginning tells without a walk
    steps: Sequence[str] = _STEP.findall(pattern)
    reached = _past_runs({0}, steps)
    for character in text:
        reached = _past_runs(_after(reached, steps, character, boundary), steps)
    return len(steps) in reached


def _past_runs(reached: Iterable[int], steps: Sequence[str]) -> set[int]:
    """Adds the positions behind runs, since a run may be empty."""
    found = set(reached)
    for at, step in enumerate(steps):
        if at in found and step in ("*", "**"):
            found.add(at + 1)
    return found


def _after(
    reached: Iterable[int], steps: Sequence[str], character: str, boundary: str
) -> Iterator[int]:
    """Yields where each reading stands once character is read."""
    crosses = character in boundary
    for at in reached:
        match steps[at : at + 1]:
            case ["**"]:
                yield at
            case ["*"] if not crosses:
                yield at
            case ["?"] if not crosses:
                yield at + 1
            case [literal] if literal == character and literal not in ("*", "?"):
                yield at + 1
