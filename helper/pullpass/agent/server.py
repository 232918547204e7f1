"""The resident process: what it starts, how it reloads and how it ends."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pullpass import __version__
from pullpass.agent.counters import Counters
from pullpass.agent.desk import Desk
from pullpass.agent.door import Door
from pullpass.agent.harden import harden
from pullpass.agent.journal import Journal
from pullpass.agent.notify import Notifier, notifier
from pullpass.agent.peer import need_linux
from pullpass.agent.place import BACKLOG, Place, listening, place_of, reopen
from pullpass.agent.policy import Policy, policy_of
from pullpass.agent.reload import Reload, moved
from pullpass.agent.resolver import Resolver
from pullpass.agent.settle import settle
from pullpass.config.model import Config
from pullpass.config.network import network_of
from pullpass.http import run_async
from pullpass.resolve.here import minter_of
from pullpass.transport import AsyncHttpTransport

if TYPE_CHECKING:
    from pullpass.issuer.mint import Minter

LOOK: Final = 60.0  # seconds between two looks at signing keys that nobody uses
KEEP: Final = 55.0  # seconds that an idle connection to an exchange is kept; servers end it at 60
_FIXED: Final = ("socket", "metrics", "max_connections", "max_connections_per_user")


def run_agent(
    load: Callable[[], Config],
    environ: Mapping[str, str] = os.environ,
    journal: Journal | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT. load reads the configuration, again at each SIGHUP.

    Raises:
        UsageError: if this is not Linux, or another agent runs.
        ConfigError: if the configuration is wrong, or the socket's place cannot be had.
    """
    need_linux()
    harden()
    config = load()
    policy = policy_of(config)
    place = place_of(config, policy, environ)
    with listening(place) as listener:
        agent = _Agent(load, place, notifier(environ), journal or Journal())
        asyncio.run(agent.serve(listener, config, policy))


class _Agent:
    """One run of the process."""

    def __init__(
        self, load: Callable[[], Config], place: Place, systemd: Notifier, journal: Journal
    ) -> None:
        self._place = place
        self._systemd = systemd
        self._journal = journal
        self._counters = Counters()
        self._began = time.monotonic()
        self._reload = Reload(
            load=load,
            take_over=self._take_over,
            systemd=systemd,
            journal=journal,
            outcomes=self._counters.reloads,
        )
        self._transport: AsyncHttpTransport
        self._door: Door
        self._minter: Minter
        self._desk: Desk

    async def serve(self, listener: socket.socket, config: Config, policy: Policy) -> None:
        """Answers on listener until a signal ends it."""
        ended = asyncio.Event()
        self._on_signals(ended)
        async with AsyncExitStack() as stack:
            self._transport = AsyncHttpTransport(network_of(config), keep=KEEP)
            await stack.enter_async_context(aclosing(self._transport))
            self._open(config, policy)
            await stack.enter_async_context(self._metrics(config))
            loop = asyncio.get_running_loop()
            server = await loop.create_unix_server(self._door, sock=listener, backlog=BACKLOG)
            stack.callback(server.close)
            stack.callback(asyncio.create_task(self._systemd.live()).cancel)
            stack.callback(asyncio.create_task(self._carry_on()).cancel)
            settle()
            self._systemd.tell("READY=1", f"STATUS=listening at {self._place.path}")
            self._journal.tell("ready", version=__version__, socket=str(self._place.path))
            await ended.wait()
            self._systemd.tell("STOPPING=1")
            server.close()
            self._place.path.unlink(missing_ok=True)  # who comes now does the work itself
            cut = await self._door.drain(self._desk.config.agent.drain)
        self._journal.tell("stopped", cut_off=cut)

    def _metrics(self, config: Config) -> AbstractAsyncContextManager[None]:
        where = config.agent.metrics
        if where is None:
            return nullcontext()
        from pullpass.agent.metrics import exposing  # noqa: PLC0415 - its library is an extra

        return exposing(where, self._counters, lambda: len(self._door))

    def _on_signals(self, ended: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _open(self, config: Config, policy: Policy) -> None:
        self._desk = self._desk_of(config, policy)
        self._door = Door(
            self._desk.answer,
            self._counters,
            most=config.agent.max_connections,
            most_per_user=config.agent.max_connections_per_user,
        )

    def _desk_of(self, config: Config, policy: Policy) -> Desk:
        self._minter = minter_of(config)
        resolver = Resolver(
            config=config,
            policy=policy,
            minter=self._minter,
            transport=self._transport,
            counters=self._counters,
        )
        return Desk(
            config=config,
            policy=policy,
            resolver=resolver,
            counters=self._counters,
            journal=self._journal,
            status=self._status,
        )

    def _take_over(self, config: Config) -> list[str]:
        policy = policy_of(config)
        place = place_of(config, policy, os.environ)
        reopen(replace(self._place, mode=place.mode, gid=place.gid))
        old = self._desk.config
        self._desk = self._desk_of(config, policy)
        self._door.answer = self._desk.answer
        http = ["http"] if old.http != config.http else []
        return [*moved("agent", old.agent, config.agent, *_FIXED), *http]

    async def _carry_on(self) -> None:
        """Has signing keys succeed each other in time, though nobody pulls."""
        while True:
            await run_async(self._minter.carry_on(), self._transport)
            await asyncio.sleep(LOOK)

    def _status(self) -> Mapping[str, Any]:
        return {
            "pid": os.getpid(),
            "version": __version__,
            "uptime": round(time.monotonic() - self._began, 3),
            "socket": str(self._place.path),
            "connections": len(self._door),
            "reload_error": self._reload.error,
        }
