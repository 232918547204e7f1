"""SIGHUP for a resident process: the configuration as it is now, or the old one if that is bad."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pullpass.agent.journal import Journal
from pullpass.agent.notify import Notifier
from pullpass.config.model import Config
from pullpass.errors import PullpassError


@dataclass(slots=True, kw_only=True)
class Reload:
    """Takes a new configuration over when it is called, and tells systemd and the journal.

    Attributes:
        load: reads the configuration.
        take_over: answers by it from now on; returns the settings that only a new process takes.
        outcomes: how many went ``ok`` and how many were an ``error``.
        error: why the last one kept the old configuration, None if it did not.
    """

    load: Callable[[], Config]
    take_over: Callable[[Config], Iterable[str]]
    systemd: Notifier
    journal: Journal
    outcomes: Counter[str]
    error: str | None = field(default=None, init=False)

    def __call__(self) -> None:
        """Reloads; a configuration that cannot be had changes nothing."""
        self.systemd.reloading()
        try:
            config = self.load()
            fixed = ", ".join(self.take_over(config))
        except (PullpassError, OSError) as error:
            self.error = str(error)
            self.outcomes["error"] += 1
            self.journal.tell("reload", error=self.error, kept="the old configuration")
        else:
            self.error = None
            self.outcomes["ok"] += 1
            sources = [str(path) for path in config.sources]
            self.journal.tell("reload", sources=sources, restart_for=fixed or None)
        self.systemd.tell("READY=1")


def moved(table: str, old: object, new: object, *names: str) -> Iterator[str]:
    """Yields the dotted keys below table of what differs between old and new."""
    for name in names:
        if getattr(old, name) != getattr(new, name):
            yield f"{table}.{name}"
