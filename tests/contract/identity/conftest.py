"""Every source of identities, each at the platform that it is written for."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.platforms import ALL, WEB, Platform


@pytest.fixture(params=ALL)
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Platform:
    """Each of them."""
    return ALL[request.param](tmp_path)


@pytest.fixture(params=WEB)
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Platform:
    """Each that is asked over HTTP."""
    return WEB[request.param](tmp_path)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="id-") as made:
        yield Path(made)
