import json
from stat import S_IMODE

import pytest

from fakes.key_files import KeyFiles
from fakes.node import Node
from pullpass.certificates import load_certificates
from pullpass.keys.transit import TransitKey


def key_of(node: Node) -> TransitKey:
    return KeyFiles(directory=node.state / "keys").load("identity")


def test_a_configured_key_is_created_and_named(node: Node) -> None:
    made = node.pullpass("key", "create", "identity")
    kid = key_of(node).active.kid
    assert (made.status, made.err) == (0, "")
    assert made.out == f"created key identity, version 1, kid {kid}\n"
    assert node.files() == ["keys/identity.json"]
    assert S_IMODE((node.state / "keys" / "identity.json").stat().st_mode) == 0o600


def test_a_script_reads_json(node: Node) -> None:
    made = node.pullpass("key", "create", "identity", "--json")
    kid = key_of(node).active.kid
    assert json.loads(made.out) == {"key": "identity", "version": 1, "kid": kid}


@pytest.mark.parametrize("name", ["lost", "Identity", "../identity", "", "identity.json"])
def test_a_key_that_is_not_configured_is_not_created(node: Node, name: str) -> None:
    failed = node.pullpass("key", "create", name)
    assert (failed.status, failed.out) == (64, "")
    assert node.files() == []


def test_a_key_is_created_once(ready: Node) -> None:
    before = key_of(ready).active.kid
    failed = ready.pullpass("key", "create", "identity")
    assert (failed.status, failed.out) == (77, "")
    assert "there is a key identity already" in failed.err
    assert key_of(ready).active.kid == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("get", "registry.example.com/team/app"),
        ("mint", "--issuer", "nodes", "--role", "docker-pull", "--audience", "127.0.0.1:1"),
        ("key", "certificate", "identity"),
        ("serve", "issuer"),
    ],
)
def test_no_other_command_creates_a_key(node: Node, arguments: tuple[str, ...]) -> None:
    assert node.pullpass(*arguments).status != 0
    assert not (node.state / "keys").exists()


def test_a_key_s_private_half_is_never_printed(node: Node) -> None:
    made = node.pullpass("key", "create", "identity")
    shown = node.pullpass("key", "certificate", "identity")
    body = key_of(node).active.local.pem().reveal().splitlines()[1]
    for text in (made.out, made.err, shown.out, shown.err):
        assert body not in text
        assert "PRIVATE" not in text


def test_a_certificate_carries_the_key(ready: Node) -> None:
    shown = ready.pullpass("key", "certificate", "identity", "--name", "registry.example.com")
    (public,) = load_certificates(shown.out.encode())
    assert public == key_of(ready).active.public
    assert shown.out.endswith("-----END CERTIFICATE-----\n")


@pytest.mark.parametrize("name", ["", "a" * 65, "é", "a\nb", "\udcff"])
def test_a_name_that_no_certificate_can_have_is_refused(ready: Node, name: str) -> None:
    failed = ready.pullpass("key", "certificate", "identity", "--name", name)
    assert (failed.status, failed.out) == (64, "")
    assert "--name takes" in failed.err


def test_no_certificate_is_made_of_a_key_that_is_not_configured(ready: Node) -> None:
    failed = ready.pullpass("key", "certificate", "../keys/identity")
    assert (failed.status, failed.out) == (64, "")
    assert "there is no key ../keys/identity in the configuration" in failed.err


def states(node: Node) -> list[str]:
    return [f"{version.number} {version.state}" for version in key_of(node).versions]


def test_a_key_is_rotated_by_hand_once_and_in_an_emergency_at_once(ready: Node) -> None:
    made = ready.pullpass("key", "rotate", "identity")
    assert (made.status, made.err) == (0, "")
    assert [line.split()[3] for line in made.out.splitlines()] == ["state", "active", "published"]
    again = ready.pullpass("key", "rotate", "identity")
    assert (again.status, again.out) == (77, "")
    assert "version 2 is to sign next already: wait for it, or use --emergency" in again.err
    at_once = ready.pullpass("key", "rotate", "identity", "--emergency", "--json")
    told = json.loads(at_once.out)["versions"]
    assert [version["state"] for version in told] == ["retiring", "active"]
    assert list(told[0]["next"]) == ["retired"]
    assert states(ready) == ["1 retiring", "2 active"]


def test_a_compromised_version_is_out_of_use_and_another_signs(ready: Node) -> None:
    done = ready.pullpass("key", "compromise", "identity", "1")
    assert done.status == 0
    assert "make them fetch it again" in done.err
    assert states(ready) == ["1 compromised", "2 active"]
    assert "PRIVATE" not in json.dumps(
        json.loads((ready.state / "keys" / "identity.json").read_text())["versions"][0]
    )


def test_a_version_is_not_retired_before_its_time(ready: Node) -> None:
    ready.pullpass("key", "rotate", "identity", "--emergency")
    for number, reason in (
        ("1", "may live for"),
        ("2", "rotate the key first"),
        ("3", "no version 3"),
    ):
        failed = ready.pullpass("key", "retire", "identity", number)
        assert (failed.status, failed.out) == (77, "")
        assert reason in failed.err


def test_keys_are_listed_and_those_that_cannot_be_had_are_told(ready: Node) -> None:
    listed = ready.pullpass("key", "list")
    assert (listed.status, listed.err) == (0, "")
    heads, row = listed.out.splitlines()
    assert heads.split() == ["key", "type", "version", "state", "since", "next", "kid"]
    assert row.split()[:4] == ["identity", "ecdsa-p256", "1", "active"]
    (ready.state / "keys" / "identity.json").unlink()
    failed = ready.pullpass("key", "list", "--json")
    assert (failed.status, failed.out) == (77, "")
    assert "there is no key identity: make it with `pullpass key create identity`" in failed.err


def test_a_bundle_has_every_version_that_is_shown(ready: Node) -> None:
    ready.pullpass("key", "rotate", "identity")
    shown = ready.pullpass("key", "certificate", "identity")
    found = load_certificates(shown.out.encode())
    assert list(found) == [version.public for version in key_of(ready).versions]
