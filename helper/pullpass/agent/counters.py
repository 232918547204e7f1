"""What the agent counts, for ``status`` and for Prometheus."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Counters:
    """Counts since the start.

    Attributes:
        requests: by verb and status.
        seconds: by verb, from the whole request to the reply.
        exchanges: identities minted and shown.
        shared: requests that joined an exchange in progress.
        reused: requests that a kept credential answered.
        refused: connections beyond the bounds.
        malformed: connections that sent no request, or something else.
        reloads: by outcome, ``ok`` and ``error``.
    """

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    exchanges: int = 0
    shared: int = 0
    reused: int = 0
    refused: int = 0
    malformed: int = 0
    reloads: Counter[str] = field(default_factory=Counter)

    def note(self, verb: str, status: str, seconds: float) -> None:
        """Counts one request that was answered."""
        self.requests[verb, status] += 1
        self.seconds[verb] = self.seconds.get(verb, 0.0) + seconds

    def shown(self) -> dict[str, Any]:
        """Returns all counts, good for JSON."""
        requests = {f"{verb} {status}": count for (verb, status), count in self.requests.items()}
        seconds = {verb: round(taken, 6) for verb, taken in self.seconds.items()}
        return {
            "requests": requests,
            "seconds": seconds,
            "exchanges": self.exchanges,
            "shared": self.shared,
            "reused": self.reused,
            "refused": self.refused,
            "malformed": self.malformed,
            "reloads": dict(self.reloads),
        }
