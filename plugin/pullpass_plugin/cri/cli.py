"""The program ``pullpass-cri``."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from pullpass import __version__
from pullpass.config.cri import IN_PROCESS
from pullpass.config.load import VARIABLE, load
from pullpass.config.model import Config
from pullpass.errors import PullpassError, UsageError

if TYPE_CHECKING:
    from pullpass_plugin.cri.source import CredentialSource

NAME = "pullpass-cri"


def main() -> None:
    """Runs the program with this process's arguments. Never returns."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Serves until it is asked to end, and returns the exit status."""
    environ = dict(os.environ)
    if (named := _parser().parse_args(arguments).config) is not None:
        environ[VARIABLE] = named
    try:
        asyncio.run(_serve(partial(load, environ)))
    except PullpassError as error:
        sys.stderr.write(f"{NAME}: {error}\n")
        return error.exit_status
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME, description="Pull images for the kubelet with a workload identity."
    )
    parser.add_argument("--version", action="version", version=f"{NAME} {__version__}")
    parser.add_argument(
        "--config", metavar="FILE", help=f"read this configuration file alone, as {VARIABLE} says"
    )
    return parser


async def _serve(load: Callable[[], Config]) -> None:
    try:
        from pullpass.agent.journal import Journal
        from pullpass_plugin.cri.arena import one_arena
        from pullpass_plugin.cri.server import run as serve
    except ImportError as error:
        raise UsageError("the shim needs more: pip install 'pullpass[plugin]'") from error
    one_arena()  # gRPC starts its threads later
    config = load()
    async with _sources(config) as source_of:
        await serve(config, load, source_of, Journal())


@asynccontextmanager
async def _sources(config: Config) -> AsyncIterator["Callable[[Config], CredentialSource]"]:
    """Gives what config names, and imports HTTP and cryptography for that alone."""
    if config.cri.credentials != IN_PROCESS:
        from pullpass.agent.client import AgentClient
        from pullpass_plugin.cri.source import FromAgent

        yield lambda now: FromAgent(AgentClient(now.cri.agent))
        return
    from pullpass.config.network import network_of
    from pullpass.resolve.here import minter_of
    from pullpass.transport import AsyncHttpTransport
    from pullpass_plugin.cri.inprocess import TRY_TIMEOUT, InProcess

    async with aclosing(AsyncHttpTransport(network_of(config, timeout=TRY_TIMEOUT))) as transport:
        yield lambda now: InProcess(now, minter_of(now), transport)
