"""A registry that trusts one key, by the program that it is."""

from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from fakes.registries import Realm, Registry, debian_registry, embedded_registry
from fakes.registries import realm as serve_realm

REGISTRIES: Final = {"debian": debian_registry, "embedded": embedded_registry}


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    with serve_realm(tmp_path_factory.mktemp("realm")) as found:
        yield found


@pytest.fixture(scope="session", params=REGISTRIES)
def program(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def registry(
    program: str, tmp_path_factory: pytest.TempPathFactory, trusted: Realm
) -> Iterator[Registry]:
    directory = tmp_path_factory.mktemp(program)
    with REGISTRIES[program](directory, trusted) as address, httpx.Client(timeout=30) as client:
        yield Registry(address=address, realm=trusted, client=client)
