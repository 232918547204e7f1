"""The shim as a service: bind, serve, drain."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from grpc import ChannelConnectivity, aio

from pullpass.agent.journal import Journal
from pullpass.agent.notify import notifier
from pullpass.config.model import Config
from pullpass.errors import ConfigError
from pullpass_plugin.cri.counters import Counters
from pullpass_plugin.cri.forwarding import LIMITS, Handlers, Runtime, connected
from pullpass_plugin.cri.methods import PULLS
from pullpass_plugin.cri.place import held, make_private
from pullpass_plugin.cri.pull import Puller
from pullpass_plugin.cri.source import CredentialSource
from pullpass_plugin.cri.status import status_served

GRACE: Final = 2.0  # seconds for calls other than pulls, at the end


async def run(config: Config, source: CredentialSource, journal: Journal) -> None:
    """Serves until SIGTERM or SIGINT, then refuses new pulls and waits for those that run.

    Raises:
        ConfigError: if a socket cannot be served.
    """
    os.umask(0o077)  # gRPC gives its socket the mode that this leaves
    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_end.set)
    async with served(config, source, journal) as counters:
        systemd = notifier(os.environ)
        systemd.tell("READY=1")
        journal.tell("listening", socket=str(config.cri.listen), runtime=str(config.cri.backend))
        await asked_to_end.wait()
        systemd.tell("STOPPING=1")
        counters.draining = True
        journal.tell("draining", pulls=counters.running)
        await _drained(counters, config.cri.drain)
    journal.tell("ended", pulls=counters.running)


@asynccontextmanager
async def served(
    config: Config, source: CredentialSource, journal: Journal
) -> AsyncIterator[Counters]:
    """Serves the shim for the length of a block, and ends calls of any kind with it.

    Raises:
        ConfigError: if a socket cannot be served, or another shim serves it.
    """
    cri, counters = config.cri, Counters()
    make_private(cri.listen.parent, "cri.listen")
    make_private(cri.status.parent, "cri.status")
    async with AsyncExitStack() as stack:
        stack.enter_context(held(cri.listen, "cri.listen"))
        channel = await stack.enter_async_context(connected(str(cri.backend)))
        runtime = Runtime(channel)
        puller = Puller(
            config=config, source=source, runtime=runtime, counters=counters, journal=journal
        )
        await stack.enter_async_context(_watched(channel, counters, journal))
        await stack.enter_async_context(status_served(cri.status, counters))
        await stack.enter_async_context(_listening(str(cri.listen), runtime, puller))
        yield counters


@asynccontextmanager
async def _listening(address: str, runtime: Runtime, puller: Puller) -> AsyncIterator[None]:
    own = {method: partial(puller.pull, method) for method in PULLS}
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
