"""Does what sources ask for: the only door to files, to other programs and to what plugs in."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pullpass.command import run
from pullpass.errors import CommandError, ConfigError, IdentityError
from pullpass.http import AsyncTransport, Request, Transport
from pullpass.identity.effects import Effect, FetchSvid, LoadStored, ReadFile, RunCommand
from pullpass.store.stores import Shelf

GROUP: Final = "pullpass.identities"  # entry points: functions that do one kind of effect


@dataclass(frozen=True, slots=True)
class LocalEdge:
    """An edge for a program that waits; transport sends the requests."""

    transport: Transport

    def send(self, effect: Effect, /) -> Any:
        """Returns what came of effect. Raises: TransportError, IdentityError, ConfigError."""
        if isinstance(effect, Request):
            return self.transport.send(effect)
        return _perform(effect)


@dataclass(frozen=True, slots=True)
class LoopEdge:
    """As LocalEdge, for an event loop: files and programs are waited for in a thread."""

    transport: AsyncTransport

    async def send(self, effect: Effect, /) -> Any:
        """Returns what came of effect. Raises: TransportError, IdentityError, ConfigError."""
        if isinstance(effect, Request):
            return await self.transport.send(effect)
        return await asyncio.to_thread(_perform, effect)


def _perform(effect: ReadFile | RunCommand | FetchSvid | LoadStored) -> Any:
    if isinstance(effect, ReadFile):
        return _read(effect)
    if isinstance(effect, RunCommand):
        return _run(effect)
    if isinstance(effect, LoadStored):
        return Shelf(store=effect.store, name=effect.name, environ=effect.environ).load()
    return plugged("spiffe")(effect)


def _read(effect: ReadFile) -> bytes | None:
    try:
        with open(effect.path, "rb", opener=_at_once) as file:
            raw = file.read(effect.limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise IdentityError(
            f"{effect.path} cannot be read ({reason}): let it be readable"
        ) from error
    if len(raw or b"") > effect.limit:
        raise IdentityError(
            f"{effect.path} is longer than {effect.limit} bytes, as no token is: check its path"
        )
    return raw or b""


def _at_once(path: str, flags: int) -> int:
    """Opens path; a pipe that nobody writes to would be waited for without an end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _run(effect: RunCommand) -> bytes:
    try:
        return run(effect.argv, environ=effect.environ, timeout=effect.timeout, limit=effect.limit)
    except CommandError as error:
        raise IdentityError(str(error)) from error


def plugged(name: str) -> Callable[[Any], Any]:
    """Returns the function that the extra ``plugin`` brings under name.

    Raises:
        ConfigError: if it is not installed.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - 15 ms that few have use for

    try:
        (found,) = entry_points(group=GROUP, name=name)
        function: Callable[[Any], Any] = found.load()
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"{name} needs what is not installed: pip install 'pullpass[plugin]'"
        ) from error
    return function
