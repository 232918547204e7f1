"""Agents that run. A Unix socket's path has at most 107 bytes, so their directories are short."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.agent import READY, Agent, Exchange, agent_settings, exchange, started
from fakes.helper import Node, node, registry


@contextmanager
def short_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="agent-") as made:
        path = Path(made)
        path.chmod(0o755)  # other users ask here too
        yield path


@pytest.fixture
def directory() -> Iterator[Path]:
    with short_directory() as made:
        yield made


@pytest.fixture
def jfrog() -> Iterator[Exchange]:
    with exchange() as made:
        yield made


@pytest.fixture
def host(directory: Path, jfrog: Exchange) -> Node:
    """A node with a registry that exchanges and one that does not."""
    made = node(directory, jfrog.settings(), registry(READY))
    agent_settings(made)
    return made


@pytest.fixture
def agent(host: Node) -> Iterator[Agent]:
    """An agent of the test's own."""
    with started(host) as made:
        yield made


@pytest.fixture(scope="module")
def resident() -> Iterator[Agent]:
    """An agent for all tests of a module, with the registry that nobody is asked for."""
    with short_directory() as made:
        asked = node(made, registry(READY))
        agent_settings(asked)
        with started(asked) as found:
            yield found
