"""Tells systemd how the agent is: sd_notify(3), without a library."""

import asyncio
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Sends states to systemd, or to nobody.

    Attributes:
        address: of NOTIFY_SOCKET, empty for nobody.
        interval: seconds between two signs of life, None where no watchdog waits for them.
    """

    address: str = ""
    interval: float | None = None

    def tell(self, *states: str) -> None:
        """Sends states; whether anybody hears is not the agent's concern."""
        if not self.address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.setblocking(False)  # noqa: FBT003 - the standard library's signature
            connection.sendto("\n".join(states).encode(), self.address)

    async def live(self) -> None:
        """Shows that the loop turns, as often as the watchdog wants to see it."""
        while self.interval:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self.interval)

    def reloading(self) -> None:
        """Says that the configuration is read anew, as ``Type=notify-reload`` wants it."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def notifier(environ: Mapping[str, str]) -> Notifier:
    """Returns whom environ names: a path, or ``@name`` for an abstract socket."""
    address = environ.get("NOTIFY_SOCKET", "")
    if address.startswith("@"):
        address = "\0" + address[1:]
    elif not address.startswith("/"):
        address = ""
    return Notifier(address=address, interval=_interval(environ))


def _interval(environ: Mapping[str, str]) -> float | None:
    """Returns half of what the watchdog waits, as sd_watchdog_enabled(3) advises."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    written = environ.get("WATCHDOG_USEC", "")
    if not (written.isascii() and written.isdecimal() and len(written) < 16 and int(written)):
        return None
    return int(written) / 2_000_000
