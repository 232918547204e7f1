"""Does what sources ask for: the only door to files, to other programs and to what plugs in."""

import asyncio
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Final

from pullpass.errors import ConfigError, IdentityError
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
        # A pipe that nobody writes to would be waited for without an end.
        with os.fdopen(os.open(effect.path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            raw = file.read(effect.limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise IdentityError(
            f"{effect.path} cannot be read ({reason}): let it be readable"
        ) from error
    if len(raw or b"") > effect.limit:
        raise IdentityError(f"{effect.path} is longer than {effect.limit} bytes: it is no token")
    return raw or b""


def _run(effect: RunCommand) -> bytes:
    name, until = effect.argv[0], time.monotonic() + effect.timeout
    process = _started(effect)
    try:
        output = _output(process, effect)
        if output is None:
            raise IdentityError(
                f"{name} has not ended after {effect.timeout:.0f}s: run it by hand to see why"
            )
        if len(output) > effect.limit:
            raise IdentityError(f"{name} writes more than {effect.limit} bytes: that is no token")
        status = process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise IdentityError(f"{name} closed its output and does not end: it must end") from error
    finally:
        _end(process)
    if status:
        raise IdentityError(f"{name} ended with status {status}: run it by hand to see why")
    return output


def _started(effect: RunCommand) -> subprocess.Popen[bytes]:
    name = effect.argv[0]
    try:
        # stderr may hold what it was asked to keep secret, and docker would show it.
        return subprocess.Popen(
            effect.argv,
            env=dict(effect.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise IdentityError(f"{name} is not on the PATH of this host: install it") from error
    except (OSError, ValueError) as error:
        raise IdentityError(f"{name} cannot be started: check that it may be run") from error


def _output(process: subprocess.Popen[bytes], effect: RunCommand) -> bytes | None:
    """Returns what process writes until it closes its output, None where that takes too long."""
    read: list[bytes] = []

    def wait() -> None:
        if process.stdout:
            with process.stdout as pipe:
                read.append(pipe.read(effect.limit + 1))

    # A thread, since a child of the child may hold the pipe open for ever.
    reader = threading.Thread(target=wait, daemon=True)
    reader.start()
    reader.join(effect.timeout)
    return read[0] if read else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends process and what it started, where that still runs."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    process.wait()


def plugged(name: str) -> Callable[[Any], Any]:
    """Returns the function that the extra ``plugin`` brings under name.

    Raises:
        ConfigError: if it is not installed.
    """
    try:
        (found,) = entry_points(group=GROUP, name=name)
        function: Callable[[Any], Any] = found.load()
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"{name} needs what is not installed: pip install 'pullpass[plugin]'"
        ) from error
    return function
