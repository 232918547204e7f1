"""A node without its kubelet: a real containerd, the shim before it, an agent beside it."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.cri.client import V1, Client, connected, pull_request
from fakes.deployment import Deployment
from fakes.programs import Containerd, Process, environment, running
from pullpass.agent.client import AgentClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What pulls from a registry.

    Attributes:
        variables: what shim and agent have in their environment; it names their settings.
    """

    runtime: Containerd
    variables: Mapping[str, str]

    @property
    def place(self) -> Path:
        """Returns where all sockets are."""
        return self.runtime.directory

    def status(self) -> dict[str, Any]:
        """Returns what the agent says of itself."""
        reply = AgentClient(self.place / "agent.sock").ask("status")
        found: dict[str, Any] = json.loads(reply.body)
        return found

    @contextmanager
    def shim(self) -> Iterator[Process]:
        """Runs the shim for the length of a block."""
        with self._program("pullpass-cri", '"listening"') as process:
            yield process

    @contextmanager
    def keeper(self) -> Iterator[Process]:
        """Runs the agent for the length of a block."""
        with self._program("pullpass agent", '"ready"') as process:
            yield process

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Gives a client of the shim."""
        async with connected(self.place / "cri.sock") as client:
            yield client

    @asynccontextmanager
    async def up(self, *, agent: bool = False) -> AsyncIterator[Client]:
        """Runs all of it, and gives a client of the shim."""
        with ExitStack() as stack:
            stack.enter_context(self.runtime.runs())
            if agent:
                stack.enter_context(self.keeper())
            stack.enter_context(self.shim())
            async with self.client() as client:
                yield client

    @contextmanager
    def _program(self, command: str, ready: str) -> Iterator[Process]:
        env = environment(**self.variables)
        argv = command.split()
        with running(argv, log=self.place / f"{argv[-1]}.log", env=env) as process:
            process.until(lambda: ready in process.printed())
            yield process


def node(
    deployment: Deployment,
    runtime: Containerd,
    *,
    credentials: str = "in-process",
    **changes: Any,
) -> Node:
    """Prepares a node of deployment whose settings have these changes of the registry's table."""
    config = deployment.settings("kubernetes", **changes)
    config.write_text(config.read_text() + sockets(runtime, credentials))
    return Node(runtime=runtime, variables=deployment.environment(config))


def sockets(runtime: Containerd, credentials: str) -> str:
    """Returns the settings of a shim and of an agent beside runtime."""
    place = runtime.directory
    return f"""
[agent]
socket = "{place}/agent.sock"
shim = {{ uid = 0 }}
[cri]
listen = "{place}/cri.sock"
status = "{place}/status.sock"
backend = "{runtime.socket}"
agent = "{place}/agent.sock"
credentials = "{credentials}"
exchange_timeout = "15s"
"""


async def is_there(client: Client, image: str) -> bool:
    """Tells whether the runtime has image: ImageStatus answers an empty message for others."""
    spec = pull_request(image).image.SerializeToString()
    raw = b"\x0a" + bytes([len(spec)]) + spec
    return await client.call(f"{V1}/ImageStatus", raw, timeout=30) != b""
