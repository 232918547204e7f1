"""A node whose registries take its own token as password: nothing else needs to run."""

import pytest

from fakes.fastpath import Client
from fakes.helper import IN_FRONT, LOOPBACK, Node, node, registry


@pytest.fixture(params=["pip", "launcher"])
def program(
    request: pytest.FixtureRequest, built: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program as pip installs it, and the launcher in front of it: one suite for both."""
    monkeypatch.setenv(IN_FRONT, str(built[request.param].path))


@pytest.fixture(scope="session")
def helper(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A node that knows reg.example, Docker Hub and a registry on loopback which speaks http."""
    return node(
        tmp_path_factory.mktemp("node"),
        registry("reg.example"),
        registry("docker.io"),
        registry(LOOPBACK, "insecure = true"),
    )
