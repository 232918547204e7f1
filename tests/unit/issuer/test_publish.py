import json
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.key_files import local
from fakes.key_stores import MemoryKeyStore
from fakes.settings import ISSUER, role
from pullpass.config.parse import parse
from pullpass.errors import KeyStoreError, UsageError
from pullpass.issuer.publish import publish
from pullpass.keys import hand
from pullpass.keys.source import Keys

DAY: Final = 86400


class Site:
    """An issuer whose documents are written to a directory, and its key."""

    def __init__(self, root: Path, **more: Any) -> None:
        issuer = {"issuer": ISSUER, "signing_key": "k", "static": True, "roles": {"pull": role()}}
        values = {"keys": {"k": {"rotate_every": "30d"}}, "issuers": {"nodes": issuer | more}}
        self.config = parse(values, Path("/nowhere"))
        self.root = root
        self.now = 0.0
        self.store = MemoryKeyStore()
        self.keys = Keys(settings=self.config.keys, stores={"k": self.store}, now=lambda: self.now)
        local(self.keys.create("k"))

    def publish(self) -> list[str]:
        """Publishes, and returns the kids that are then written."""
        local(publish(self.config, self.keys, list(self.config.issuers.values()), self.root))
        found = json.loads((self.root / "t/6f1c/jwt/nodes/jwks").read_text())
        return [jwk["kid"] for jwk in found["keys"]]

    def states(self) -> list[str]:
        return [version.state for version in local(self.keys.look("k")).versions]


def test_a_version_signs_only_once_it_was_written_for_long_enough(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert len(site.publish()) == 1
    site.now = 29 * DAY
    local(site.keys.load("k"))
    assert site.states() == ["active", "created"]  # and it waits for the file, however long
    site.now = 40 * DAY
    local(site.keys.load("k"))
    assert site.states() == ["active", "created"]
    assert len(site.publish()) == 2
    assert site.states() == ["active", "published"]
    site.now += DAY
    local(site.keys.load("k"))
    assert site.states() == ["retiring", "active"]


def test_where_writing_fails_nothing_counts_as_shown(tmp_path: Path) -> None:
    site = Site(tmp_path)
    local(hand.rotate(site.keys, "k", emergency=False))
    (tmp_path / "t").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        site.publish()
    assert site.states() == ["active", "created"]


def test_what_is_retired_is_written_no_more(tmp_path: Path) -> None:
    site = Site(tmp_path)
    local(hand.rotate(site.keys, "k", emergency=True))
    assert len(site.publish()) == 2
    site.now += DAY
    assert len(site.publish()) == 1


def test_an_issuer_that_signed_under_another_url_is_not_written(tmp_path: Path) -> None:
    site = Site(tmp_path)
    local(site.keys.freeze(local(site.keys.load("k")), "nodes", "https://before.example.com"))
    with pytest.raises(KeyStoreError, match=r"has signed as https://before\.example\.com"):
        site.publish()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_for_one_host(tmp_path: Path) -> None:
    site = Site(tmp_path)
    issuers = [
        site.config.issuers["nodes"],
        Site(tmp_path, issuer="https://other.example.com").config.issuers["nodes"],
    ]
    with pytest.raises(UsageError, match=r"id\.example\.com, other\.example\.com.*--issuer"):
        local(publish(site.config, site.keys, issuers, tmp_path))
