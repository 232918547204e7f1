"""The agent's log: JSON lines on standard error, with no secret in them."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_STDERR: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Writes records as lines; a full disk behind it stops nothing.

    Attributes:
        write: takes one line.
    """

    write: Callable[[bytes], object] = lambda line: os.write(_STDERR, line)
    now: Callable[[], float] = time.time

    def tell(self, event: str, **record: object) -> None:
        """Writes one record; what is None is left out."""
        kept = {name: value for name, value in record.items() if value is not None}
        line = json.dumps({"time": round(self.now(), 3), "event": event, **kept})
        with suppress(OSError):
            self.write(line.encode() + b"\n")
