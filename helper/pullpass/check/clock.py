"""Reads other hosts' clocks from their answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pullpass.http import Request, Response, Transport


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
        if (date := response.date) is not None:
            self.skews[request.origin] = date - self.now()
        return response
