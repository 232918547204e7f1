"""An agent on a real socket, which hands out what it kept until somebody wants it fresh."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pullpass.agent.protocol import Reply, Request, Status, parse_request, render_reply
from pullpass.credential import Credential

Resolve = Callable[[dict[str, Any]], Awaitable[Credential]]


@dataclass(slots=True, eq=False)
class KeepingAgent:
    """Gives kept for every question but those that want a fresh credential.

    Attributes:
        asked: the questions so far.
        fresh_wanted: set once somebody wanted it fresh.
    """

    kept: Credential
    resolve: Resolve
    asked: list[dict[str, Any]] = field(default_factory=list)
    fresh_wanted: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: Request) -> Reply:
        """Returns the reply to request."""
        assert request.verb == "resolve"
        wanted = json.loads(request.body)
        self.asked.append(wanted)
        given = self.kept
        if wanted["fresh"]:
            self.fresh_wanted.set()
            given = await self.resolve(wanted)
        answer = {
            "username": given.username,
            "secret": given.secret.reveal(),
            "expires_at": given.expires_at,
            "reused": given is self.kept,
            "minted_at": 1_800_000_000,
        }
        return Reply(status=Status.OK, body=json.dumps(answer).encode())


@asynccontextmanager
async def agent_listening(agent: KeepingAgent, socket: Path) -> AsyncIterator[None]:
    """Runs agent at socket for the length of a block."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came = b""
        while (request := parse_request(came)) is None:
            came += await reader.read(1 << 16)
        writer.write(render_reply(await agent.answer(request)))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_unix_server(serve, socket):
        yield
