"""Doors of token servers: one for each test, and one for a module, whose key cache is warm."""

from collections.abc import Iterator

import pytest

from fakes.token_server import Door, served


@pytest.fixture
def door() -> Iterator[Door]:
    """The door of a new token server."""
    with served() as opened:
        yield opened


@pytest.fixture(scope="module")
def warm() -> Iterator[Door]:
    """The door of one for many examples."""
    with served() as opened:
        yield opened
