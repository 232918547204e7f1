"""Every store that can be written, for real."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fakes.stores import Store, desktop_keyring, password_store


@pytest.fixture(scope="session")
def stores() -> Iterator[dict[str, Store]]:
    with ExitStack() as stack:
        found = [stack.enter_context(password_store()), stack.enter_context(desktop_keyring())]
        yield {store.name: store for store in found}


@pytest.fixture(params=["pass", "keyring"])
def store(request: pytest.FixtureRequest, stores: dict[str, Store]) -> Store:
    return stores[request.param]
