"""What pulls share with one another, and what they never share."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE, Popen

from fakes.agent import (
    GET,
    TIMEOUT,
    Agent,
    Exchange,
    agent_settings,
    exchange,
    gone,
    started,
)
from fakes.fastpath import build
from fakes.helper import LOOPBACK, PROGRAM, installed, node
from fakes.programs import environment, uncovered


def test_fifty_pulls_of_one_user_at_once_make_one_exchange(directory: Path) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent, ThreadPoolExecutor(50) as pool:
            waiting = [pool.submit(agent.get) for _ in range(50)]
            agent.until(lambda: agent.counted("shared") == 49)
            jfrog.open.set()
            replies = {one.result(TIMEOUT).body for one in waiting}
    assert len(jfrog.seen) == 1
    assert len(replies) == 1


def test_fifty_helpers_of_one_user_at_once_make_one_exchange(directory: Path) -> None:
    build(directory)
    programs = [str(directory / "c" / PROGRAM), installed()] * 25
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent, ExitStack() as stack:
            asking = uncovered(environment(PULLPASS_AGENT=str(agent.path)))
            helpers = [
                stack.enter_context(Popen([one, "get"], env=asking, stdin=PIPE, stdout=PIPE))
                for one in programs
            ]
            for helper in helpers:
                assert helper.stdin
                helper.stdin.write(LOOPBACK.encode())
                helper.stdin.close()
            agent.until(lambda: agent.counted("shared") == 49)
            jfrog.open.set()
            told = {helper.stdout.read() for helper in helpers if helper.stdout}
            assert {helper.wait(TIMEOUT) for helper in helpers} == {0}
    assert len(jfrog.seen) == len(told) == 1


def test_the_first_who_asked_may_go_and_the_others_are_answered(directory: Path) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made) as agent:
            first = agent.send(GET)
            agent.until(lambda: len(jfrog.seen) == 1)
            others = [agent.send(GET) for _ in range(2)]
            agent.until(lambda: agent.counted("shared") == 2)
            first.close()
            agent.until(lambda: len(agent.records("get")) == 1)
            jfrog.open.set()
            assert [gone(one)[:3] for one in others] == [b"ok "] * 2
            assert agent.records("get")[0]["error"] == "the caller left"
    assert len(jfrog.seen) == 1


def test_without_reuse_each_pull_has_an_exchange_of_its_own(agent: Agent, jfrog: Exchange) -> None:
    assert len({agent.get().body for _ in range(3)}) == 3
    assert len(set(jfrog.seen)) == 3


def test_reuse_gives_the_same_again_and_fresh_another(directory: Path, jfrog: Exchange) -> None:
    made = node(directory, jfrog.settings('reuse = "10m"'))
    agent_settings(made)
    with started(made) as agent:
        first, again = (json.loads(agent.get().body)["Secret"] for _ in range(2))
        fresh = asyncio.run(agent.client.resolve(LOOPBACK, fresh=True))
    assert first == again != fresh.credential.secret.reveal()
    assert not fresh.reused
    assert len(jfrog.seen) == 2
