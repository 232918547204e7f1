"""Each client in turn, on a node whose registry takes its own token as password."""

from pathlib import Path

import pytest

from fakes.fastpath import Client
from fakes.helper import node, registry
from fakes.programs import environment


@pytest.fixture(params=["pip", "script", "launcher", "sanitized"])
def client(request: pytest.FixtureRequest, built: dict[str, Client]) -> Client:
    """A client: one suite for all of them."""
    return built[request.param]


@pytest.fixture(scope="session")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the full program knows reg.example, and which names no agent."""
    home = tmp_path_factory.mktemp("home")
    node(home / "pullpass", registry("reg.example"))
    return environment(XDG_CONFIG_HOME=str(home))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where an agent may listen."""
    return tmp_path / "a.sock"
