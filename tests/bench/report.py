"""What a bench measured: times, memory, and what is made of them."""

import os
import platform
import random
import re
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

K = TypeVar("K")
WARM_UP: Final = 2  # rounds that do not count


class Whose(StrEnum):
    """Whom a time speaks of."""

    OURS = "pullpass"
    PEER = "peer"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How long something took, each time, in milliseconds.

    Attributes:
        callers: how many asked at once.
    """

    what: str
    whose: Whose
    callers: int = 1
    took: list[float] = field(default_factory=list, repr=False)

    @property
    def p50(self) -> float:
        """Returns the median."""
        return statistics.median(self.took)

    @property
    def p99(self) -> float:
        """Returns what one in a hundred takes longer than."""
        return statistics.quantiles(self.took, n=100, method="inclusive")[-1]

    @property
    def worst(self) -> float:
        """Returns the longest."""
        return max(self.took)

    @property
    def label(self) -> str:
        """Returns what it is, for people."""
        return self.what if self.callers == 1 else f"{self.what}, {self.callers} at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a process had in memory (RSS), in MB after so many calls."""

    of: str
    after: Mapping[int, float]

    @property
    def most(self) -> float:
        """Returns the most that it had."""
        return max(self.after.values())

    @property
    def growth(self) -> float:
        """Returns by how much it grew since the first tenth of the calls."""
        sizes = list(self.after.values())
        return sizes[-1] - sizes[min(1, len(sizes) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that is held against a bound."""

    what: str
    value: float
    most: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one bench found."""

    title: str
    rows: list[Row]
    figures: list[Figure]
    memory: list[Memory] = field(default_factory=list)

    def table(self) -> str:
        """Returns it as Markdown."""
        lines = [
            f"### {self.title}\n",
            "| | whose | p50 ms | p99 ms | worst ms |\n| --- | --- | --: | --: | --: |",
            *(
                f"| {row.label} | {row.whose} | {row.p50:.2f} | {row.p99:.2f} | {row.worst:.1f} |"
                for row in self.rows
            ),
            "\n| figure | measured | at most |\n| --- | --: | --: |",
            *(
                f"| {one.what} | {one.value:.2f}{one.unit} | {one.most:g}{one.unit} |"
                for one in self.figures
            ),
        ]
        return "\n".join(lines) + "\n"


def in_turns(runs: Mapping[K, Callable[[], Iterable[float]]], rounds: int) -> dict[K, list[float]]:
    """Returns what each run took, all of them taking turns in random order.

    Whatever else the machine does befalls all of them alike.
    """
    took: dict[K, list[float]] = {key: [] for key in runs}
    for at in range(-WARM_UP, rounds):
        for key in random.sample(list(runs), len(runs)):
            times = list(runs[key]())
            if at >= 0:
                took[key] += times
    return took


def rss(pid: int) -> float:
    """Returns the resident memory of process pid in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def remembered(of: str, pid: int, calls: int, ask: Callable[[int], None]) -> Memory:
    """Returns the memory of pid while ask has calls made, a tenth at a time."""
    after = {0: rss(pid)}
    for tenth in range(1, 11):
        ask(calls // 10)
        after[tenth * (calls // 10)] = rss(pid)
    return Memory(of=of, after=after)


def bounds(memory: Memory, calls: int) -> list[Figure]:
    """Returns the figures of a process which may have 60 MB, and is not to grow."""
    return [
        Figure(what=f"{memory.of}: memory (RSS)", value=memory.most, most=60, unit=" MB"),
        Figure(
            what=f"{memory.of}: growth over {calls} calls, after the first tenth",
            value=memory.growth,
            most=1,
            unit=" MB",
        ),
    ]


def machine() -> str:
    """Returns what this was measured on."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cpu = found[1] if found else platform.machine()
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} × {cpu}, Linux {platform.release().partition('-')[0]},"
        f" Python {platform.python_version()}, load {load:.1f}"
    )
