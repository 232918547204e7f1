"""Reads other hosts' clocks from their answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pullpass.http import Request, Response, Transport

_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"  # RFC 9110 §5.6.7: the one form that is sent today


@dataclass(slots=True, kw_only=True)
class ClockWatch:
    """A Transport which notes by how much each origin's clock is ahead of ours.

    Attributes:
        skews: seconds by origin, from the ``Date`` of its last answer (RFC 9110 §6.6.1).
    """

    transport: Transport
    now: Callable[[], float]
    skews: dict[str, float] = field(default_factory=dict)

    def send(self, request: Request) -> Response:
        """Returns the answer to request. Raises: TransportError."""
        response = self.transport.send(request)
        try:
            date = datetime.strptime(response.headers.get("date", ""), _DATE).replace(tzinfo=UTC)
        except ValueError:
            return response  # without a date, or with one that nobody can read
        self.skews[request.origin] = date.timestamp() - self.now()
        return response
