"""A short folder for sockets."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """A private folder; not pytest's, since a Unix socket's path has at most 107 bytes."""
    directory = Path(tempfile.mkdtemp(prefix="cri-"))
    yield directory
    shutil.rmtree(directory)
