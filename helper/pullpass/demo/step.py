"""One step of the demo, as it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that is done.

    Attributes:
        name: one word, for scripts.
        title: one sentence, for people.
        facts: what was seen; texts, numbers and lists of texts. Never a secret.
        seconds: how long it took.
    """

    name: str
    title: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: float


class Display(Protocol):
    """Shows steps as they happen."""

    def begin(self, title: str) -> None:
        """Says that a step begins."""

    def end(self, step: Step) -> None:
        """Shows a step that is done."""
