"""A registry that is marked for a store: there ``store`` stores, or fails so that it is heard."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes.helper import NOT_FOUND, PROGRAM, Node, Said, node, registry, run_helper
from fakes.stores import Store, password_store

pytestmark = pytest.mark.usefixtures("program")
SECRET = "hunter2-hunter2"


def stored(address: str, store: str, name: str, repository: str = "*") -> str:
    table = f'registry."{address}"'
    return f"""
[{table}]
[[{table}.credential]]
repository = "{repository}"
store = "{store}"
secret = "{name}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A node with registries of every kind, and pass."""

    node: Node
    store: Store

    def ask(self, action: str, stdin: str = "", **more: str) -> Said:
        """Runs the program."""
        env = {**self.node.environment(), **self.store.variables, **more}
        return run_helper(action, stdin=stdin.encode(), env=env)

    def log_in(self, server_url: str, username: str = "me", secret: str = SECRET) -> Said:
        """Does what a client does once its user has logged in."""
        entry = {"ServerURL": server_url, "Username": username, "Secret": secret}
        return self.ask("store", json.dumps(entry))


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with password_store() as made:
        yield made


@pytest.fixture
def host(tmp_path: Path, store: Store) -> Iterator[Host]:
    made = node(
        tmp_path / "node",
        registry("keyless.example"),
        stored("old.example", "pass", "old"),
        stored("docker.io", "pass", "hub"),
        stored("unit.example", "systemd", "unit"),
        stored("desk.example", "keyring", "desk"),
        stored("parts.example", "pass", "parts", "team/*"),
    )
    found = Host(node=made, store=store)
    yield found
    for server_url in ("old.example", "docker.io"):
        assert found.ask("erase", server_url).status == 0


def given(said: Said) -> tuple[str, str]:
    assert said.status == 0, said
    found = json.loads(said.stdout)
    return found["Username"], found["Secret"]


@pytest.mark.parametrize("spelling", ["old.example", "https://old.example/v2/", "old.example:443"])
def test_what_was_stored_is_given_back_until_it_is_erased(host: Host, spelling: str) -> None:
    assert host.log_in(spelling) == Said(0, "", "")
    assert given(host.ask("get", "old.example")) == ("me", SECRET)
    assert given(host.ask("get", "old.example/any/repository")) == ("me", SECRET)
    assert host.ask("erase", spelling) == Said(0, "", "")
    said = host.ask("get", "old.example")
    line = "there is no secret old in pass: store it with 'pullpass secret set old'"
    assert said.status == 1
    assert line in said.stdout
    assert said.stderr.startswith(f"{PROGRAM}: registry old.example: there is no secret")


def test_the_latest_of_two_counts(host: Host) -> None:
    host.log_in("old.example", "one", "first")
    host.log_in("old.example", "<token>", "second")
    assert given(host.ask("get", "old.example")) == ("<token>", "second")


def test_tokens_that_docker_keeps_beside_a_credential_do_not_replace_it(host: Host) -> None:
    index = "https://index.docker.io/v1/"
    assert host.log_in(index) == Said(0, "", "")
    for beside in ("access-token", "refresh-token"):
        assert host.log_in(f"{index}{beside}", "other", "token") == Said(0, "", "")
        assert host.ask("erase", f"{index}{beside}") == Said(0, "", "")
    assert given(host.ask("get", index)) == ("me", SECRET)


@pytest.mark.parametrize("server_url", ["keyless.example", "other.example"])
def test_elsewhere_nothing_is_stored_and_nothing_fails(host: Host, server_url: str) -> None:
    assert host.log_in(server_url) == Said(0, "", "")
    assert host.ask("erase", server_url) == Said(0, "", "")
    root = Path(host.store.variables["HOME"]) / ".password-store"
    assert [path.name for path in root.rglob("*.gpg")] == []


@pytest.mark.parametrize(
    ("server_url", "words"),
    [
        ("unit.example", "a service cannot write its systemd credentials"),
        ("desk.example", 'this host has no keyring: use store = "pass" or "systemd"'),
        ("parts.example", "the entries are for team/*: mark one host_default"),
    ],
)
def test_a_store_that_cannot_store_is_one_line_and_status_1(
    host: Host, server_url: str, words: str
) -> None:
    said = host.log_in(server_url)
    assert said.status == 1
    assert words in said.stdout
    assert said.stdout.count("\n") == 1
    assert said.stderr.replace("`", "'") == f"{PROGRAM}: {said.stdout}"
    assert SECRET not in said.stdout + said.stderr


def test_a_store_that_was_never_begun_cannot_store(host: Host, tmp_path: Path) -> None:
    entry = json.dumps({"ServerURL": "old.example", "Username": "me", "Secret": SECRET})
    said = host.ask("store", entry, HOME=str(tmp_path))
    assert said.status == 1
    assert "pass ended with status 1: run it by hand" in said.stdout


def test_an_empty_secret_is_not_stored(host: Host) -> None:
    said = host.log_in("old.example", secret="")
    assert said.status == 1
    assert "an empty secret" in said.stdout


def test_an_erase_that_fails_is_said_and_breaks_no_logout(host: Host) -> None:
    said = host.ask("erase", "desk.example")
    assert said[:2] == (0, "")
    assert "this host has no keyring" in said.stderr


def test_settings_that_are_wrong_break_no_login_and_no_logout(host: Host) -> None:
    host.node.config.write_text("nonsense = 1")
    for said in (host.log_in("old.example"), host.ask("erase", "old.example")):
        assert said[:2] == (0, "")
        assert "nonsense: is not a setting" in said.stderr


def test_a_list_names_what_can_be_had_and_its_user(host: Host) -> None:
    assert json.loads(host.ask("list").stdout) == {"keyless.example": "pullpass"}
    host.log_in("old.example")
    listed = json.loads(host.ask("list").stdout)
    assert listed == {"keyless.example": "pullpass", "old.example": "me"}
    assert all(host.ask("get", address).status == 0 for address in listed)


def test_what_systemd_hands_over_is_given(host: Host, tmp_path: Path) -> None:
    (tmp_path / "unit").write_text('{"username": "me", "secret": "word"}')
    said = host.ask("get", "unit.example", CREDENTIALS_DIRECTORY=str(tmp_path))
    assert given(said) == ("me", "word")
    assert host.ask("get", "unit.example").status == 1
    assert host.ask("get", "stranger.example") == Said(1, NOT_FOUND, "")
