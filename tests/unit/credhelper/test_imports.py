"""What is loaded for an answer, and that nothing on the way to it is there on Linux alone."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pullpass
from fakes.helper import node, registry

PACKAGE = Path(pullpass.__file__).parent
UNIX_ONLY = frozenset({"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios"})
ENTRY = {"pullpass", "pullpass.credhelper", "pullpass.credhelper.cli"}
HEAVY = {"asyncio", "click", "cryptography", "httpcore", "jwt", "rich", "ssl", "starlette"}
# Prints to stderr what the program has loaded on top of the interpreter and its site.
LOADED = """
import sys
before = set(sys.modules)
from pullpass.credhelper.cli import main
try:
    main()
finally:
    print(*set(sys.modules) - before, file=sys.stderr)
"""
# Each word of the first argument is a module that this system does not have.
WITHOUT = """
import sys
from types import SimpleNamespace
sys.modules.update(dict.fromkeys(sys.argv.pop(1).split()))
import subprocess  # which would take the next one for a whole Windows
sys.modules["msvcrt"] = SimpleNamespace(LK_NBLCK=2, locking=lambda handle, mode, count: None)
from pullpass.credhelper.cli import main
main()
"""


def run(
    script: str, *arguments: str, stdin: str = "", config: Path | None = None
) -> tuple[str, str]:
    """Runs script as the program and returns its stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        input=stdin,
        env={"PULLPASS_CONFIG": str(config)} if config else {},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("arguments", [["version"], ["--help"], [], ["bogus"], ["get", "extra"]])
def test_the_entry_module_loads_nothing_that_python_has_not_loaded(arguments: list[str]) -> None:
    stdout, stderr = run(LOADED, *arguments)
    assert "docker-credential-pullpass" in stdout
    assert set(stderr.split()) == ENTRY


@pytest.mark.parametrize("action", ["get", "store", "erase", "list"])
def test_a_stranger_is_answered_without_http_and_keys(tmp_path: Path, action: str) -> None:
    asked = node(tmp_path, registry("reg.example"))
    stdin = (
        '{"ServerURL": "other.example", "Username": "me"}' if action == "store" else "other.example"
    )
    _, stderr = run(LOADED, action, stdin=stdin, config=asked.config)
    loaded = {module.partition(".")[0] for module in stderr.split()}
    assert "pullpass" in loaded
    assert not loaded & HEAVY


def test_a_credential_is_had_without_what_draws_for_people(tmp_path: Path) -> None:
    asked = node(tmp_path, registry("reg.example"))
    stdout, stderr = run(LOADED, "get", stdin="reg.example", config=asked.config)
    loaded = {module.partition(".")[0] for module in stderr.split()}
    assert "Secret" in stdout
    assert "httpcore" in loaded
    assert not loaded & {"click", "rich", "pygments"}


def test_a_credential_can_be_had_where_unix_own_modules_are_missing(tmp_path: Path) -> None:
    asked = node(tmp_path, registry("reg.example"))
    missing = " ".join(UNIX_ONLY - {"posix"})  # the interpreter itself stands on this one
    stdout, stderr = run(WITHOUT, missing, "get", stdin="reg.example", config=asked.config)
    assert not stderr
    assert json.loads(stdout)["ServerURL"] == "reg.example"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_no_module_needs_one_that_only_unix_has(path: Path) -> None:
    assert not set(unguarded(ast.parse(path.read_text()))) & UNIX_ONLY


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pwd", {"pwd"}),
        ("from os import path\nfrom fcntl import flock", {"os", "fcntl"}),
        ("def f():\n import pwd.x", {"pwd"}),
        ("try:\n import pwd\nexcept ImportError:\n pwd = None", set()),
        ("try:\n import pwd\nexcept (OSError, ImportError):\n import grp", {"grp"}),
        ("try:\n import pwd\nexcept KeyError:\n pass", {"pwd"}),
        ("from . import pwd", set()),
    ],
)
def test_the_search_sees_what_nobody_guards(source: str, found: set[str]) -> None:
    assert set(unguarded(ast.parse(source))) == found


def unguarded(tree: ast.AST) -> Iterator[str]:
    """Yields the top-level modules that tree imports without an except for their absence."""
    guarded = tree.body if isinstance(tree, ast.Try) and _expects_absence(tree) else []
    match tree:
        case ast.Import(names=names):
            yield from (alias.name.partition(".")[0] for alias in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module.partition(".")[0]
    for child in ast.iter_child_nodes(tree):
        if child not in guarded:
            yield from unguarded(child)


def _expects_absence(tree: ast.Try) -> bool:
    caught = [name for handler in tree.handlers if handler.type for name in ast.walk(handler.type)]
    absence = {"ImportError", "ModuleNotFoundError"}
    return any(isinstance(name, ast.Name) and name.id in absence for name in caught)
