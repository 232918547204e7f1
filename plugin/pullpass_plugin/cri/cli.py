"""The program ``pullpass-cri``."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
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
        asyncio.run(_serve(load(environ)))
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


async def _serve(config: Config) -> None:
    try:
        from pullpass.agent.journal import Journal
        from pullpass_plugin.cri.server import run as serve
    except ImportError as error:
        raise UsageError("the shim needs more: pip install 'pullpass[plugin]'") from error
    async with _source(config) as source:
        await serve(config, source, Journal())


@asynccontextmanager
async def _source(config: Config) -> AsyncIterator["CredentialSource"]:
    """Gives what the configuration names, and imports HTTP and cryptography for that alone."""
    if config.cri.credentials != IN_PROCESS:
        from pullpass.agent.client import AgentClient
        from pullpass_plugin.cri.source import FromAgent

        yield FromAgent(AgentClient(config.cri.agent))
        return
    from pullpass.config.network import network_of
    from pullpass.http import AsyncHttpTransport
    from pullpass.resolve.here import minter_of
    from pullpass_plugin.cri.inprocess import TRY_TIMEOUT, InProcess

    transport = AsyncHttpTransport(network_of(config, timeout=TRY_TIMEOUT))
    try:
        yield InProcess(config, minter_of(config), transport)
    finally:
        await transport.aclose()
