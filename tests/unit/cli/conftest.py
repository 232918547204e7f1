from pathlib import Path

import pytest

from fakes.node import Node


@pytest.fixture
def node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Node:
    """Returns a host that is configured and has no key yet."""
    found = Node(directory=tmp_path, capture=capsys, environment=monkeypatch)
    found.configure()
    return found


@pytest.fixture
def ready(node: Node) -> Node:
    """Returns a host that is configured and has its key."""
    assert node.pullpass("key", "create", "identity").status == 0
    return node
