"""Keys in files, at a standing clock."""

from pathlib import Path

import pytest

from fakes.key_files import NOW, KeyFiles


@pytest.fixture
def store(tmp_path: Path) -> KeyFiles:
    return KeyFiles(directory=tmp_path / "state" / "keys", now=lambda: NOW)


@pytest.fixture
def path(store: KeyFiles) -> Path:
    """Returns the file of the key k, which is there."""
    store.create("k")
    return store.directory / "k.json"
