"""What the shim has done, for metrics."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


class Outcome(StrEnum):
    """What became of a pull, as far as the shim is concerned."""

    PASSED = "passed"  # not ours to authorise
    AUTHORISED = "authorised"  # with our credential
    WITHOUT = "without"  # no credential could be had, and the registry is set to fail open
    UNAVAILABLE = "unavailable"  # no credential could be had
    DRAINING = "draining"


_HELP: Final = {
    "pulls": "Pulls, by what became of them.",
    "retries": "Pulls that were tried again with a fresh credential.",
    "refused": "Credentials of ours that a registry did not take.",
}


@dataclass(slots=True)
class Counters:
    """Counts since the start, and what is so now."""

    pulls: Counter[Outcome] = field(default_factory=Counter)
    retries: int = 0
    refused: int = 0
    running: int = 0
    idle: asyncio.Event = field(default_factory=_set)
    runtime_up: bool = False
    draining: bool = False

    @contextmanager
    def one_running(self) -> Iterator[None]:
        """Counts one running pull for the length of a block."""
        self.running += 1
        self.idle.clear()
        try:
            yield
        finally:
            self.running -= 1
            if not self.running:
                self.idle.set()

    def render(self) -> str:
        """Returns the metrics in Prometheus' text format 0.0.4."""
        lines = [f"# HELP pullpass_cri_pulls_total {_HELP['pulls']}"]
        lines.append("# TYPE pullpass_cri_pulls_total counter")
        for outcome in Outcome:
            count = self.pulls[outcome]
            lines.append(f'pullpass_cri_pulls_total{{outcome="{outcome}"}} {count}')
        for name, text, value in (
            ("retries_total", _HELP["retries"], self.retries),
            ("credentials_refused_total", _HELP["refused"], self.refused),
        ):
            lines += _metric(name, "counter", text, value)
        for name, text, value in (
            ("pulls_running", "Pulls that run now.", self.running),
            ("runtime_up", "Whether the runtime's socket can be reached.", self.runtime_up),
            ("draining", "Whether new pulls are refused, since the shim ends.", self.draining),
        ):
            lines += _metric(name, "gauge", text, int(value))
        return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, text: str, value: int) -> list[str]:
    full = f"pullpass_cri_{name}"
    return [f"# HELP {full} {text}", f"# TYPE {full} {kind}", f"{full} {value}"]
