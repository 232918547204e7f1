"""The connections between the agent and an exchange."""

import time
from pathlib import Path

import trustme

from fakes.agent import Agent, Exchange, agent_settings, exchange, started
from fakes.helper import node
from fakes.proxy import certified
from pullpass import transport
from pullpass.agent.protocol import Status
from pullpass.agent.server import KEEP

PULLS = 20


def pull(agent: Agent, times: int) -> None:
    """Has as many credentials made, one after the other."""
    for _ in range(times):
        assert agent.get().status is Status.OK


def test_pulls_that_follow_each_other_share_one_connection(agent: Agent, jfrog: Exchange) -> None:
    pull(agent, PULLS)
    assert len(jfrog.seen) == PULLS
    assert len(jfrog.connections) == 1


def test_pulls_that_follow_each_other_share_one_handshake(directory: Path) -> None:
    authority, ca = trustme.CA(), directory / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    with exchange(tls=certified(authority, "127.0.0.1")) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made)
        with started(made, SSL_CERT_FILE=str(ca)) as agent:
            pull(agent, PULLS)
    assert len(jfrog.seen) == PULLS
    assert len(jfrog.connections) == 1


def test_a_connection_outlives_the_time_between_two_pulls(agent: Agent, jfrog: Exchange) -> None:
    pull(agent, 1)
    assert transport.KEEP < KEEP
    time.sleep(transport.KEEP + 0.5)  # what a program that pulls but once would keep it for
    pull(agent, 1)
    assert len(jfrog.connections) == 1
