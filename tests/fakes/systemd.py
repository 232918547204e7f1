"""What systemd is told over NOTIFY_SOCKET: sd_notify(3)."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

WITHIN: Final = 20.0  # seconds that a test waits for word


@dataclass(frozen=True, slots=True)
class Systemd:
    """Listens for word of a service.

    Attributes:
        address: what NOTIFY_SOCKET holds.
    """

    address: str
    socket: socket.socket

    def told(self) -> str:
        """Returns what comes next."""
        return self.socket.recv(1000).decode()

    def until(self, last: str) -> list[str]:
        """Returns what comes, up to the message that is last. Raises: TimeoutError."""
        end, told = time.monotonic() + WITHIN, [self.told()]
        while told[-1] != last:
            if time.monotonic() > end:
                raise TimeoutError(f"{last!r} does not come, but {set(told)}")
            told.append(self.told())
        return told


@contextmanager
def systemd(address: str) -> Iterator[Systemd]:
    """Listens at address for the length of a block: a path, or ``@name`` for an abstract one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        listener.settimeout(WITHIN)
        yield Systemd(address, listener)
