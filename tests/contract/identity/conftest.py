"""Every source of identities, each at the platform that it is written for."""

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
