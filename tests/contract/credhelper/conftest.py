"""A node whose registries take its own token as password: nothing else needs to run."""

import pytest

from fakes.helper import LOOPBACK, Node, node, registry


@pytest.fixture(scope="session")
def helper(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A node that knows reg.example, Docker Hub and a registry on loopback which speaks http."""
    return node(
        tmp_path_factory.mktemp("node"),
        registry("reg.example"),
        registry("docker.io"),
        registry(LOOPBACK, "insecure = true"),
    )
