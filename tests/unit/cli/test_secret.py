import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.node import Node, Outcome
from fakes.programs import environment
from pullpass.errors import UsageError

MORE = """
[registry."old.example"]
[[registry."old.example".credential]]
store = "pass"
secret = "old/pull"
[[registry."old.example".credential]]
repository = "team/*"
store = "systemd"
secret = "old-team"
"""


@pytest.fixture
def host(node: Node, tmp_path: Path) -> Node:
    """Returns a host whose pass is a folder of plain files."""
    node.configure(MORE)
    program = tmp_path / "bin" / "pass"
    program.parent.mkdir()
    program.write_text(PASS)
    program.chmod(0o755)
    node.environment.setenv("PATH", f"{program.parent}:{environment()['PATH']}")
    node.environment.setenv("PASSWORD_STORE_DIR", str(tmp_path / "store"))
    node.environment.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return node


# As pass does, but without gpg.
PASS = """#!/bin/sh
set -eu
for name in "$@"; do :; done
file=$PASSWORD_STORE_DIR/$name.gpg
case $1 in
  show) cat "$file" ;;
  insert) mkdir -p "${file%/*}"; cat > "$file" ;;
  rm) rm "$file" ;;
esac
"""


def stored(host: Node, secret: str, *arguments: str) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", "pullpass", "secret", "set", *arguments],
        input=secret,
        env={**os.environ, **host.variables},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return Outcome(status=done.returncode, out=done.stdout, err=done.stderr)


def test_a_secret_is_stored_shown_to_a_pull_and_erased(host: Node) -> None:
    done = stored(host, "word\n", "old/pull", "--username", "me")
    assert (done.status, done.out, done.err) == (0, "stored old/pull in pass\n", "")
    got = json.loads(host.pullpass("get", "--json", "--show-secret", "old.example/a").out)
    assert (got["username"], got["secret"], got["expires_at"]) == ("me", "word", None)
    assert (got["source"], got["given_by"]) == ("store pass", "this process")
    assert "provider" not in got
    assert host.pullpass("secret", "erase", "old/pull").out == "old/pull is not in pass any more\n"
    failed = host.pullpass("get", "old.example/a")
    assert (failed.status, failed.out) == (77, "")
    assert "`pullpass secret set old/pull`" in failed.err


def test_a_person_does_not_see_a_stored_secret_unasked(host: Node) -> None:
    stored(host, "hunter2hunter2", "old/pull", "--username", "me")
    shown = host.pullpass("get", "old.example/a")
    assert "hunter2" not in shown.out + shown.err
    assert host.pullpass("secret", "list").out.splitlines()[1].split() == ["old/pull", "pass", "me"]


def test_the_names_are_listed_with_what_is_there(host: Node) -> None:
    host.environment.setenv("CREDENTIALS_DIRECTORY", str(host.directory))
    assert host.pullpass("secret", "list").out.splitlines() == [
        "secret    store    username",
        "old/pull  pass     not there",
        "old-team  systemd  not there",
    ]
    (host.directory / "old-team").write_text("word")
    printed = host.pullpass("secret", "list", "--json").out.splitlines()
    first, second = map(json.loads, printed)
    assert first == {"secret": "old/pull", "store": "pass", "username": None, "error": None}
    assert second["error"].startswith("old-team in systemd: it is not")
    assert "word" not in printed[1]


@pytest.mark.parametrize(("given", "kept"), [("a\n", "a"), ("a\r\n", "a"), ("a\nb\n", "a\nb")])
def test_one_end_of_line_is_no_part_of_the_secret(host: Node, given: str, kept: str) -> None:
    stored(host, given, "old/pull", "--username", "me")
    got = json.loads(host.pullpass("get", "--json", "--show-secret", "old.example/a").out)
    assert got["secret"] == kept


@pytest.mark.parametrize(
    ("arguments", "secret", "status", "message"),
    [
        (("nobody", "--username", "me"), "word", 64, 'has secret = "nobody"'),
        (("old/pull",), "word", 64, "--username"),
        (("old/pull", "--username", "me"), "", 64, "holds no secret"),
        (("old/pull", "--username", "me"), "x" * 70_000, 77, "is longer than"),
        (("old-team", "--username", "me"), "word", 77, "`systemd-creds encrypt"),
        (("old/pull", "--store", "keyring", "--username", "me"), "word", 64, "no entry"),
        (("old/pull", "--store", "floppy", "--username", "me"), "word", 64, "floppy"),
    ],
)
def test_what_cannot_be_stored_is_said(
    host: Node, arguments: tuple[str, ...], secret: str, status: int, message: str
) -> None:
    failed = stored(host, secret, *arguments)
    assert (failed.status, failed.out) == (status, "")
    assert message in failed.err


def test_a_name_of_two_stores_asks_which(host: Node) -> None:
    entry = MORE.replace("old/pull", "same").replace("old-team", "same")
    host.configure(entry.replace('"systemd"', '"keyring"'))
    failed = stored(host, "word", "same", "--username", "me")
    assert failed.status == UsageError.exit_status
    assert "use --store with one of pass, keyring" in failed.err
    assert stored(host, "word", "same", "--username", "me", "--store", "pass").status == 0
