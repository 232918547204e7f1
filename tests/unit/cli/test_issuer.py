import json
from pathlib import Path

import pytest

from fakes.key_files import KeyFiles
from fakes.node import Node

ROLES = ["docker-pull", "by-pod"]


def test_issuers_are_listed_with_what_they_sign_with(ready: Node) -> None:
    listed = ready.pullpass("issuer", "list")
    assert listed.status == 0
    heads, row = listed.out.splitlines()
    assert heads.split() == ["issuer", "url", "key", "algorithm", "roles"]
    assert row.split()[0] == "nodes"
    told = json.loads(ready.pullpass("issuer", "list", "--json").out)
    assert (told["issuer"], told["algorithm"], told["roles"]) == ("nodes", "ES256", ROLES)


def test_an_issuer_shows_its_documents_as_they_are_published(ready: Node) -> None:
    shown = ready.pullpass("issuer", "show", "nodes", "--json")
    told = json.loads(shown.out)
    assert told["discovery"]["issuer"] == told["discovery_url"]
    kid = KeyFiles(directory=ready.state / "keys").load("identity").active.kid
    assert [jwk["kid"] for jwk in told["jwks"]["keys"]] == [kid]
    people = ready.pullpass("issuer", "show", "nodes").out
    assert f"discovery url  {told['discovery_url']}" in people
    assert "! the other side of acr, quay takes no ES256" in people


def test_documents_are_written_for_any_server_of_files(ready: Node, tmp_path: Path) -> None:
    root = tmp_path / "www"
    written = ready.pullpass("issuer", "publish", str(root))
    assert written.status == 0, written.err
    told = json.loads(ready.pullpass("issuer", "show", "nodes", "--json").out)
    paths = [Path(line) for line in written.out.splitlines()]
    assert paths[0].name == "jwks"  # keys before their use
    assert [json.loads(path.read_text()) for path in paths] == [
        told["jwks"],
        told["discovery"],
        told["discovery"],
    ]
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in paths)
    assert [path for path in root.rglob("*") if path.is_file() and path not in paths] == []


@pytest.mark.parametrize("command", [("show", "lost"), ("publish", "www", "--issuer", "lost")])
def test_an_issuer_that_is_not_configured_is_a_wrong_call(
    ready: Node, command: tuple[str, ...]
) -> None:
    failed = ready.pullpass("issuer", *command)
    assert (failed.status, failed.out) == (64, "")
    assert "there is no issuer lost in the configuration: add [issuers.lost]" in failed.err


def test_without_its_key_an_issuer_has_nothing_to_publish(node: Node, tmp_path: Path) -> None:
    failed = node.pullpass("issuer", "publish", str(tmp_path / "www"))
    assert (failed.status, failed.out) == (77, "")
    assert "there is no key identity" in failed.err
    assert not (tmp_path / "www").exists()
