"""The program before an exchange that fails or hangs, with the agent's credentials and its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from grpc import StatusCode

from fakes.agent import Agent, agent_settings, exchange, socket_of, started
from fakes.cri import Client, Runtime, connected
from fakes.cri.client import V1
from fakes.cri.program import configured, serving
from fakes.cri.runtime import Context, listening
from fakes.endpoint import answering
from fakes.helper import LOOPBACK, exchanging, node
from fakes.loop import in_a_loop
from fakes.scripted_agent import false_agent
from pullpass.http import Response

STATUS: Final = f"{V1}/ImageStatus"
IMAGE: Final = f"{LOOPBACK}/team/app:v1"
NOBODY: Final = 65534
REF: Final = b"\x0a\x03ref"


async def hello(_: AsyncIterator[bytes], __: Context) -> AsyncIterator[bytes]:
    yield b"hello"


@pytest.fixture
def runtime() -> Runtime:
    """A runtime that answers ImageStatus and pulls for everybody."""
    return Runtime(answers={STATUS: hello})


@asynccontextmanager
async def shim(
    place: Path, runtime: Runtime, registry: str, credentials: str, within: str = "20s"
) -> AsyncIterator[tuple[Client, Agent | None]]:
    """Runs the shim of a node with registry, and gives its client and the agent that has the key.

    Without an agent the shim has the key itself.
    """
    made = node(place / "node", registry)
    agent_settings(made, "shim = { uid = 0 }")
    file = configured(place, f'credentials = "{credentials}"\nexchange_timeout = "{within}"')
    table = file.read_text().replace(f"{place}/agent.sock", str(socket_of(made)))
    file.write_text(made.config.read_text() + table)
    async with (
        listening(runtime, place / "backend.sock"),
        connected(place / "listen.sock") as client,
    ):
        with ExitStack() as stack:
            agent = stack.enter_context(started(made)) if credentials == "agent" else None
            stack.enter_context(serving(place))
            assert await client.call(STATUS, wait=True) == b"hello"
            yield client, agent


@pytest.mark.parametrize("credentials", ["agent", "in-process"])
@in_a_loop
async def test_an_exchange_that_fails_is_told_at_once_and_delays_nothing_else(
    place: Path, runtime: Runtime, credentials: str
) -> None:
    with answering(lambda _: Response(status=500)) as origin:
        async with shim(place, runtime, exchanging(origin), credentials) as (client, _):
            error = await client.refused(client.pull(IMAGE))
            assert await client.call(STATUS, timeout=5) == b"hello"

    assert error.code() is StatusCode.UNKNOWN
    assert (error.details() or "").startswith(f"RegistryUnavailable: no credential for {IMAGE}: ")
    assert "answered 500" in (error.details() or "")  # and no time ran out
    assert not runtime.pulls


@pytest.mark.parametrize("credentials", ["agent", "in-process"])
@in_a_loop
async def test_an_exchange_that_hangs_ends_in_time_and_delays_nothing_else(
    place: Path, runtime: Runtime, credentials: str
) -> None:
    with exchange(held=True) as jfrog:
        settings = jfrog.settings()
        async with shim(place, runtime, settings, credentials, within="3s") as (client, _):
            pulls = [client.pull(IMAGE) for _ in range(16)]
            assert await client.call(STATUS) == b"hello"
            assert not any(pull.done() for pull in pulls)
            errors = [await client.refused(pull) for pull in pulls]
            jfrog.open.set()
            assert await client.pull(IMAGE) == REF

    for error in errors:
        assert (error.details() or "").startswith("RegistryUnavailable: no credential for")
        assert "no credential within 3s" in (error.details() or "")


@in_a_loop
async def test_an_agent_that_is_killed_fails_the_pull_and_the_next_agent_serves(
    place: Path, runtime: Runtime
) -> None:
    with exchange(held=True) as jfrog:
        async with shim(place, runtime, jfrog.settings(), "agent") as (client, agent):
            assert agent
            pull = client.pull(IMAGE)
            await asyncio.to_thread(agent.until, lambda: len(jfrog.seen) == 1)
            agent.process.popen.kill()
            cut = await client.refused(pull)
            await asyncio.to_thread(agent.process.popen.wait)  # its listener closes after others
            gone = await client.refused(client.pull(IMAGE))
            jfrog.open.set()
            with started(agent.node):
                assert await client.pull(IMAGE) == REF

    assert "its reply was cut short" in (cut.details() or "")
    assert "no agent at" in (gone.details() or "")
    for error in (cut, gone):
        assert (error.details() or "").startswith("RegistryUnavailable: no credential for")


@in_a_loop
async def test_a_false_server_on_the_agents_path_is_told_nothing(
    place: Path, runtime: Runtime
) -> None:
    with exchange() as jfrog:
        async with shim(place, runtime, jfrog.settings(), "agent") as (client, agent):
            assert agent
            agent.process.stop()
            with false_agent(agent.path, uid=NOBODY, reply=b"ok 2\n{}", count=99) as sent:
                error = await client.refused(client.pull(IMAGE))

    assert "belongs to another user: it is not asked" in (error.details() or "")
    assert set(sent) <= {b"b''"}
    assert not jfrog.seen


@in_a_loop
async def test_16_pulls_of_one_image_at_once_are_one_exchange_and_16_pulls(
    place: Path, runtime: Runtime
) -> None:
    with exchange(held=True) as jfrog:
        async with shim(place, runtime, jfrog.settings(), "agent") as (client, agent):
            assert agent
            pulls = [client.pull(IMAGE) for _ in range(16)]
            await asyncio.to_thread(agent.until, lambda: agent.counted("shared") == 15)
            jfrog.open.set()
            assert await asyncio.gather(*pulls) == [REF] * 16

    assert len(jfrog.seen) == 1
    assert len({call.auth.password for call in runtime.pulls}) == 1
    assert len(runtime.pulls) == 16
