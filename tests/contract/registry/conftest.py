"""The same tests for the real registry and for ours."""

from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from fakes.registries import Realm, Registry, debian_registry, embedded_registry
from fakes.registries import realm as serve_realm

REGISTRIES: Final = {"docker-registry": debian_registry, "embedded": embedded_registry}


@pytest.fixture(scope="session")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    with serve_realm(tmp_path_factory.mktemp("realm")) as found:
        yield found


@pytest.fixture(scope="session", params=REGISTRIES)
def registry(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, realm: Realm
) -> Iterator[Registry]:
    directory = tmp_path_factory.mktemp("registry")
    with REGISTRIES[request.param](directory, realm) as address, httpx.Client(timeout=30) as client:
        yield Registry(address=address, realm=realm, client=client)


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """Returns a repository that no other test uses."""
    word = "".join(letter if letter.isalnum() else "-" for letter in request.node.name.lower())
    return f"team/{word.strip('-')}".replace("--", "-")
