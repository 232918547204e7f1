"""The shim as a service: bind, serve, drain."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from grpc import ChannelConnectivity, aio

from pullpass.agent.journal import Journal
from pullpass.agent.notify import notifier
from pullpass.agent.pages import pages_served
from pullpass.agent.private import held, make_private
from pullpass.agent.reload import Reload, moved
from pullpass.agent.settle import settle
from pullpass.config.model import Config
from pullpass.errors import ConfigError
from pullpass_plugin.cri.counters import Counters
from pullpass_plugin.cri.forwarding import LIMITS, Context, Handlers, Runtime, connected
from pullpass_plugin.cri.methods import PULLS
from pullpass_plugin.cri.pull import Puller
from pullpass_plugin.cri.source import CredentialSource
from pullpass_plugin.cri.status import page

GRACE: Final = 2.0  # seconds for calls other than pulls, at the end
_FIXED: Final = ("listen", "backend", "status", "credentials")


async def run(
    config: Config,
    load: Callable[[], Config],
    source_of: Callable[[Config], CredentialSource],
    journal: Journal,
) -> None:
    """Serves until SIGTERM or SIGINT, then refuses new pulls and waits for those that run.

    Args:
        config: what to begin with.
        load: reads the configuration anew, at each SIGHUP.
        source_of: gives whoever answers for pulls by a configuration.
        journal: takes the log.

    Raises:
        UsageError: if another shim serves the socket.
        ConfigError: if a socket cannot be served.
    """
    os.umask(0o077)  # gRPC gives its socket the mode that this leaves
    systemd = notifier(os.environ)
    async with served(config, source_of(config), journal) as shim:
        counters = shim.puller.counters
        reload = Reload(
            load=load,
            take_over=lambda new: shim.take_over(new, source_of(new)),
            systemd=systemd,
            journal=journal,
            outcomes=counters.reloads,
        )
        asked_to_end = _on_signals(reload)
        settle()
        systemd.tell("READY=1")
        journal.tell("listening", socket=str(config.cri.listen), runtime=str(config.cri.backend))
        watchdog = asyncio.create_task(systemd.live())
        await asked_to_end.wait()
        systemd.tell("STOPPING=1")
        counters.draining = True
        journal.tell("draining", pulls=counters.running)
        await _drained(counters, shim.puller.config.cri.drain)
        watchdog.cancel()
    journal.tell("ended", pulls=counters.running)


@dataclass(slots=True)
class Shim:
    """What answers pulls now. Those that run keep what they began with."""

    puller: Puller

    async def pull(self, method: str, raw: bytes, context: Context) -> bytes:
        """Answers PullImage."""
        return await self.puller.pull(method, raw, context)

    def take_over(self, config: Config, source: CredentialSource) -> list[str]:
        """Answers by config and source, and returns the settings that only a new process takes."""
        old = self.puller.config
        self.puller = replace(self.puller, config=config, source=source)
        http = ["http"] if old.http != config.http else []
        return [*moved("cri", old.cri, config.cri, *_FIXED), *http]


@asynccontextmanager
async def served(config: Config, source: CredentialSource, journal: Journal) -> AsyncIterator[Shim]:
    """Serves the shim for the length of a block, and ends calls of any kind with it.

    Raises:
        UsageError: if another shim serves the socket.
        ConfigError: if a socket cannot be served.
    """
    cri, counters = config.cri, Counters()
    make_private(cri.listen.parent, "cri.listen")
    make_private(cri.status.parent, "cri.status")
    async with AsyncExitStack() as stack:
        stack.enter_context(held(cri.listen, "pullpass-cri", "cri.listen"))
        channel = await stack.enter_async_context(connected(str(cri.backend)))
        runtime = Runtime(channel)
        shim = Shim(Puller(config, source, runtime, counters, journal))
        await stack.enter_async_context(_watched(channel, counters, journal))
        pages = pages_served(cri.status, partial(page, counters=counters), "cri.status")
        await stack.enter_async_context(pages)
        await stack.enter_async_context(_listening(str(cri.listen), runtime, shim))
        yield shim


def _on_signals(reload: Reload) -> asyncio.Event:
    """Returns what SIGTERM and SIGINT set; SIGHUP reloads."""
    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_end.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return asked_to_end


@asynccontextmanager
async def _listening(address: str, runtime: Runtime, shim: Shim) -> AsyncIterator[None]:
    own = {method: partial(shim.pull, method) for method in PULLS}
    server = aio.server(handlers=[Handlers(runtime, own)], options=LIMITS)
    try:
        server.add_insecure_port(f"unix:{address}")
    except RuntimeError as error:
        raise ConfigError(f"{address} cannot be served", key="cri.listen") from error
    await server.start()
    try:
        yield
    finally:
        await server.stop(GRACE)


@asynccontextmanager
async def _watched(
    channel: aio.Channel, counters: Counters, journal: Journal
) -> AsyncIterator[None]:
    task = asyncio.create_task(_watch(channel, counters, journal))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _watch(channel: aio.Channel, counters: Counters, journal: Journal) -> None:
    """Keeps the connection to the runtime, and tells once of each change."""
    told: bool | None = None
    while True:
        state = channel.get_state(try_to_connect=True)
        if state in {ChannelConnectivity.READY, ChannelConnectivity.TRANSIENT_FAILURE}:
            counters.runtime_up = state is ChannelConnectivity.READY
            if counters.runtime_up is not told:
                told = counters.runtime_up
                journal.tell("runtime-reachable" if told else "runtime-unreachable")
        await channel.wait_for_state_change(state)


async def _drained(counters: Counters, seconds: float) -> None:
    """Returns once no pull runs, or after seconds."""
    try:
        async with asyncio.timeout(seconds):
            await counters.idle.wait()
    except TimeoutError:
        pass
