"""What the shim has done, for metrics."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

K = TypeVar("K", bound=str)


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
    "reloads": "Reloads of the configuration; an error keeps the old one.",
}


@dataclass(slots=True)
class Counters:
    """Counts since the start, and what is so now."""

    pulls: Counter[Outcome] = field(default_factory=Counter)
    retries: int = 0
    refused: int = 0
    reloads: Counter[str] = field(default_factory=Counter)
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

    def render(self) -> bytes:
        """Returns the metrics in Prometheus' text format 0.0.4."""
        lines = _by_outcome("pulls_total", _HELP["pulls"], self.pulls, Outcome)
        lines += _by_outcome("reloads_total", _HELP["reloads"], self.reloads, ("ok", "error"))
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
        return "\n".join([*lines, ""]).encode()


def _metric(name: str, kind: str, text: str, value: int) -> list[str]:
    full = f"pullpass_cri_{name}"
    return [*_head(full, kind, text), f"{full} {value}"]


def _by_outcome(name: str, text: str, counts: Mapping[K, int], outcomes: Iterable[K]) -> list[str]:
    full = f"pullpass_cri_{name}"
    values = [f'{full}{{outcome="{outcome}"}} {counts[outcome]}' for outcome in outcomes]
    return [*_head(full, "counter", text), *values]


def _head(full: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {full} {text}", f"# TYPE {full} {kind}"]
