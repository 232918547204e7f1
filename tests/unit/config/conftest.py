"""Where files of settings may stand."""

from pathlib import Path

import pytest

from fakes.config_files import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)
