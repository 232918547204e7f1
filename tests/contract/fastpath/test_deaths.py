"""The agent itself dies under each client, which then does the work by itself."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from fakes.agent import READY, Agent, Exchange, agent_settings, exchange, started
from fakes.fastpath import TIMEOUT, Client
from fakes.helper import LOOPBACK, node, registry
from fakes.programs import environment, short_directory


@pytest.fixture
def jfrog() -> Iterator[Exchange]:
    """An exchange that answers when it is let."""
    with exchange(held=True) as made:
        yield made


@pytest.fixture
def agent(jfrog: Exchange) -> Iterator[Agent]:
    """An agent whose settings the client's user has as well."""
    with short_directory() as home:
        made = node(home / "pullpass", jfrog.settings(), registry(READY))
        agent_settings(made)
        with started(made) as running:
            yield running


def environment_of(agent: Agent) -> dict[str, str]:
    """Returns what a client has in its environment that asks agent."""
    home = str(agent.node.directory.parent)
    return environment(XDG_CONFIG_HOME=home, PULLPASS_AGENT=str(agent.path))


def test_an_agent_that_is_killed_during_the_exchange_costs_nothing(
    client: Client, agent: Agent, jfrog: Exchange
) -> None:
    with subprocess.Popen(
        [client.path, "get"],
        env=environment_of(agent),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        process.stdin.write(LOOPBACK.encode())
        process.stdin.close()
        process.stdin = None
        agent.until(lambda: len(jfrog.seen) == 1)
        agent.process.popen.kill()
        jfrog.open.set()
        said, complaint = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, complaint) == (0, b"")
    assert json.loads(said)["Username"] == "puller"
    assert len(jfrog.seen) == 2


def test_an_agent_that_was_killed_before_costs_nothing(
    client: Client, agent: Agent, jfrog: Exchange
) -> None:
    jfrog.open.set()
    env = environment_of(agent)
    alive = client.ask("get", stdin=LOOPBACK.encode(), env=env)
    agent.process.popen.kill()
    agent.process.popen.wait(TIMEOUT)
    assert agent.path.is_socket()
    dead = client.ask("get", stdin=LOOPBACK.encode(), env=env)
    assert [json.loads(one.stdout)["Username"] for one in (alive, dead)] == ["puller"] * 2
    assert alive.status == dead.status == 0


def test_a_full_disk_at_the_agent_is_a_sentence(client: Client, agent: Agent) -> None:
    audit = agent.node.directory / "state" / "audit.jsonl"
    audit.symlink_to("/dev/full")
    said = client.ask("get", stdin=READY.encode(), env=environment_of(agent))
    assert said.status == 1
    assert b"nothing is minted without an audit line" in said.stdout
    assert said.stdout.count(b"\n") == 1
    assert b"Secret" not in said.stdout
