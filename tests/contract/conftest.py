"""What several contracts are held against."""

import pytest

from fakes.fastpath import Client, clients


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Client]:
    """Every program that is installed as docker-credential-pullpass."""
    return clients(tmp_path_factory.mktemp("launcher"))
