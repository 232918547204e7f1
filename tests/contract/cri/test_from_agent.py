"""What the shim remembers of the agent's answers, and when it asks again."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from fakes.agent import Agent, Exchange, agent_settings, exchange, started
from fakes.helper import LOOPBACK, Node, node
from fakes.loop import in_a_loop, until
from pullpass.agent.granted import Granted
from pullpass.errors import AgentUnavailable
from pullpass_plugin.cri.source import FromAgent

REUSE: Final = 600  # seconds


@pytest.fixture
def jfrog() -> Iterator[Exchange]:
    with exchange() as made:
        yield made


def host(place: Path, jfrog: Exchange, *lines: str) -> Node:
    made = node(place, jfrog.settings(*lines))
    agent_settings(made, f"shim = {{ uid = {os.geteuid()} }}")
    return made


@pytest.fixture
def agent(place: Path, jfrog: Exchange) -> Iterator[Agent]:
    """An agent whose credentials are given again for ten minutes."""
    with started(host(place, jfrog, f'reuse = "{REUSE}s"')) as made:
        yield made


async def pull(
    source: FromAgent, repository: str = "team/app", *, fresh: bool = False, **facts: str
) -> Granted:
    pod = {f"k8s.{name}": value for name, value in facts.items()}
    return await source.credential(LOOPBACK, repository, pod, fresh=fresh)


def questions(agent: Agent) -> int:
    """Returns how often the agent was asked for a credential."""
    return int(agent.counted("requests").get("resolve ok", 0))


@in_a_loop
async def test_what_the_agent_would_give_again_is_given_without_asking_it(agent: Agent) -> None:
    source = FromAgent(agent.client)
    first, second = [await pull(source) for _ in range(2)]
    assert first.credential == second.credential
    assert (first.reused, second.reused) == (False, True)
    assert questions(agent) == 1


@in_a_loop
async def test_another_repository_or_pod_is_asked_for_by_itself(agent: Agent) -> None:
    source = FromAgent(agent.client)
    await pull(source)
    await pull(source, "team/other")
    one, other = await pull(source, pod="one"), await pull(source, pod="other")
    assert one.credential != other.credential
    assert questions(agent) == 4


@in_a_loop
async def test_without_reuse_the_agent_is_asked_each_time(place: Path, jfrog: Exchange) -> None:
    with started(host(place, jfrog)) as agent:
        source = FromAgent(agent.client)
        assert len({(await pull(source)).credential.secret.reveal() for _ in range(3)}) == 3
        assert questions(agent) == 3


@in_a_loop
async def test_a_fresh_one_takes_the_place_of_what_was_given_before(agent: Agent) -> None:
    source = FromAgent(agent.client)
    first, fresh = await pull(source), await pull(source, fresh=True)
    again = await pull(source)
    assert not fresh.reused
    assert first.credential != fresh.credential == again.credential
    assert questions(agent) == 2


@in_a_loop
async def test_a_fresh_one_takes_the_place_of_what_others_were_given_too(agent: Agent) -> None:
    source = FromAgent(agent.client)
    first, other = await pull(source), await pull(source, "team/other")
    assert first.credential == other.credential
    fresh = await pull(source, fresh=True)
    assert (await pull(source, "team/other")).credential == fresh.credential != first.credential


@in_a_loop
async def test_what_was_refused_is_not_given_again_though_no_fresh_one_came(
    agent: Agent, jfrog: Exchange
) -> None:
    source = FromAgent(agent.client)
    first = await pull(source)
    jfrog.open.clear()
    asking = asyncio.create_task(pull(source, fresh=True))
    await until(lambda: len(jfrog.seen) == 2)
    asking.cancel()
    jfrog.open.set()
    assert (await pull(source)).credential != first.credential


@in_a_loop
async def test_nothing_is_given_again_longer_than_the_agent_would(agent: Agent) -> None:
    later = 0.0
    source = FromAgent(agent.client, now=lambda: time.time() + later)
    first = await pull(source)
    assert first.minted_at < first.until <= first.minted_at + REUSE
    later = REUSE + 1
    await pull(source)
    assert questions(agent) == 2


@in_a_loop
async def test_after_a_reload_of_the_agent_nothing_from_before_is_given(
    agent: Agent, jfrog: Exchange
) -> None:
    source = FromAgent(agent.client)
    first = await pull(source)
    await reloaded(agent)
    assert (await pull(source)).credential != first.credential
    assert len(jfrog.seen) == 2


@in_a_loop
async def test_what_came_while_the_agent_reloaded_is_not_given_again(
    agent: Agent, jfrog: Exchange
) -> None:
    source = FromAgent(agent.client)
    jfrog.open.clear()
    first = asyncio.create_task(pull(source))
    await until(lambda: len(jfrog.seen) == 1)
    await reloaded(agent)
    second = asyncio.create_task(pull(source))
    await until(lambda: len(jfrog.seen) == 2)
    jfrog.open.set()
    given = [(await one).credential for one in (first, second)]
    assert (await pull(source)).credential == given[1] != given[0]


@in_a_loop
async def test_of_another_agent_nothing_is_known(place: Path, jfrog: Exchange) -> None:
    made = host(place, jfrog, f'reuse = "{REUSE}s"')
    with started(made) as one:
        source = FromAgent(one.client)
        await pull(source)
    with pytest.raises(AgentUnavailable):
        await pull(source)
    with started(made) as other:
        assert not (await pull(source)).reused
        assert questions(other) == 1


async def reloaded(agent: Agent) -> None:
    seen = len(agent.records("reload"))
    os.kill(agent.process.popen.pid, signal.SIGHUP)
    await until(lambda: len(agent.records("reload")) > seen)
