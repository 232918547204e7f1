"""What ``pullpass check`` says of the agent that a user's pulls ask."""

import os
import signal
from pathlib import Path

import pytest

from fakes.agent import Agent, agent_settings, exchange, socket_of, started
from fakes.helper import LOOPBACK, Node, node, registry
from pullpass.check.callers import look_at_agent
from pullpass.check.finding import Level, Seen
from pullpass.config.load import load
from pullpass.errors import CallerDenied

OTHER = "other.example"


def look(agent: Agent | None, host: Node, address: str = LOOPBACK) -> Seen:
    """Looks at the agent with the settings that host has now."""
    config = load({"PULLPASS_CONFIG": str(host.config)})
    place = str(agent.path if agent else socket_of(host))
    return look_at_agent(config, config.registries[address], {"PULLPASS_AGENT": place})


def test_the_same_settings_are_in_order(agent: Agent, host: Node) -> None:
    assert look(agent, host) == Seen(
        Level.OK, f"an agent listens at {agent.path}, with the same settings for this registry"
    )


def test_settings_that_the_agent_has_not_read_are_a_warning_until_it_reads_them(
    agent: Agent, host: Node
) -> None:
    host.config.write_text(host.config.read_text().replace("strongbox", "another"))
    seen = look(agent, host)
    assert seen.level is Level.WARNING
    assert seen.saw.endswith("with other settings for this registry than those checked here")
    os.kill(agent.process.popen.pid, signal.SIGHUP)
    agent.until(lambda: agent.records("reload"))
    assert look(agent, host).level is Level.OK


def test_a_role_that_changed_counts_as_well(agent: Agent, host: Node) -> None:
    host.config.write_text(host.config.read_text().replace("registry-pull", "another"))
    assert look(agent, host).level is Level.WARNING


def test_a_registry_that_the_agent_does_not_know_is_its_callers(agent: Agent, host: Node) -> None:
    host.config.write_text(host.config.read_text() + registry(OTHER))
    seen = look(agent, host, OTHER)
    assert seen.level is Level.OK
    assert seen.saw.endswith("and leaves this registry to whoever asks")


def test_no_agent_is_in_order_too(host: Node) -> None:
    assert look(None, host) == Seen(Level.OK, "no agent listens: each pull does the work itself")


def test_an_agent_that_does_not_let_this_user_ask_is_an_error(directory: Path) -> None:
    with exchange() as jfrog:
        host = node(directory, jfrog.settings())
        agent_settings(host, "allow = [{ uid = 12345 }]")
        with started(host) as agent, pytest.raises(CallerDenied, match="may not ask this agent"):
            look(agent, host)


def test_settings_that_no_agent_has_ask_none(host: Node) -> None:
    config = load({"PULLPASS_CONFIG": str(host.config)})
    environ = {"PULLPASS_CONFIG": str(host.config), "PULLPASS_AGENT": "/nowhere"}
    seen = look_at_agent(config, config.registries[LOOPBACK], environ)
    assert seen == Seen(Level.OK, "PULLPASS_CONFIG is set, so no agent is asked")
