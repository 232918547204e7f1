"""Streams, variables and folders that the program is started with: 44 to 47."""

import os
import pty
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.helper import (
    NO_SERVER_URL,
    NOT_FOUND,
    PROGRAM,
    Node,
    Said,
    case,
    installed,
    run_helper,
)
from fakes.programs import environment

pytestmark = pytest.mark.usefixtures("program")
PATIENCE = 30.0  # seconds after which a program that should not wait has hung


@pytest.mark.parametrize(
    ("action", "status", "stdout"),
    [
        case(44, "list", "list", 0, '"docker.io"'),
        case(44, "get", "get", 1, NO_SERVER_URL),
        case(44, "version", "version", 0, PROGRAM),
    ],
)
def test_a_closed_stdin_holds_nothing(helper: Node, action: str, status: int, stdout: str) -> None:
    said = from_shell('exec "$0" "$1" <&-', action, env=helper.environment())
    assert said.status == status
    assert stdout in said.stdout


@pytest.mark.parametrize("action", [case(45, "list", "list"), case(45, "version", "version")])
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_nobody_waits_for_a_stdin_that_stays_open(
    helper: Node, action: str, *, terminal: bool
) -> None:
    with open_stdin(terminal=terminal) as stdin:
        done = subprocess.run(
            [installed(), action],
            stdin=stdin,
            env=helper.environment(),
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
    assert Said(done.returncode, done.stdout.decode(), done.stderr.decode()) == helper.ask(action)


@pytest.mark.parametrize(
    "action", [case(46, action, action) for action in ("get", "list", "version", "bogus")]
)
@pytest.mark.parametrize("stdout", ["&-", "/dev/full"], ids=["closed", "full"])
def test_a_stdout_that_takes_nothing_is_a_failure_without_a_traceback(
    helper: Node, action: str, stdout: str
) -> None:
    said = from_shell(
        f'exec "$0" "$1" >{stdout}', action, env=helper.environment(), stdin=b"reg.example"
    )
    assert said.status == 1
    assert not said.stderr


@pytest.mark.parametrize(
    "action", [case(46, action, action) for action in ("get", "list", "version")]
)
def test_a_reader_that_left_is_a_failure_without_a_signal(helper: Node, action: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [installed(), action],
        input=b"reg.example",
        stdout=writing,
        stderr=subprocess.PIPE,
        env=helper.environment(),
        check=False,
        timeout=PATIENCE,
    )
    os.close(writing)
    assert done.returncode == 1
    assert not done.stderr


def test_a_closed_stderr_changes_nothing(helper: Node) -> None:
    """Case 46."""
    said = from_shell('exec "$0" "$1" 2>&-', "get", env=helper.environment())
    assert said == Said(1, NO_SERVER_URL, "")


@pytest.mark.parametrize(
    ("kept", "changes"),
    [
        case(47, "neither HOME nor PATH", ["PULLPASS_CONFIG"], {}),
        # Nobody, root neither, can write below /proc.
        case(47, "a HOME nobody can write", ["PULLPASS_CONFIG", "PATH"], {"HOME": "/proc"}),
        case(47, "a HOME that is not there", ["PULLPASS_CONFIG", "PATH"], {"HOME": "/not/there"}),
        case(47, "a HOME that is a file", ["PULLPASS_CONFIG", "PATH"], {"HOME": "/dev/null"}),
        case(47, "empty variables", ["PULLPASS_CONFIG"], {"HOME": "", "PATH": "", "LC_ALL": ""}),
    ],
)
def test_no_variable_but_its_own_is_needed(
    helper: Node, kept: list[str], changes: dict[str, str]
) -> None:
    env = {name: helper.environment()[name] for name in kept} | changes
    said = run_helper("get", stdin=b"reg.example", env=env)
    assert said.status == 0
    assert not said.stderr
    assert run_helper("list", env=env).status == 0


@pytest.mark.parametrize(
    "changes",
    [
        case(47, "no HOME", {}),
        case(47, "a HOME nobody can write", {"HOME": "/proc"}),
        case(47, "a HOME that is a file", {"HOME": "/dev/null"}),
        case(47, "a HOME that is not UTF-8", {"HOME": "/\udcff"}),
    ],
)
def test_without_settings_every_registry_is_a_stranger(changes: Mapping[str, str]) -> None:
    env = environment(**changes)
    assert run_helper("get", stdin=b"other.example", env=env) == Said(1, NOT_FOUND, "")
    assert run_helper("list", env=env) == Said(0, "{}\n", "")


def test_a_working_directory_that_is_gone_changes_nothing(helper: Node, tmp_path: Path) -> None:
    """Case 47."""
    script = 'cd "$2" && rmdir "$2" && exec "$0" "$1"'
    gone = tmp_path / "gone"
    for action, status in (("get", 0), ("list", 0), ("version", 0)):
        gone.mkdir()
        env = {"PULLPASS_CONFIG": str(helper.config), "PATH": os.defpath}
        said = from_shell(script, action, str(gone), env=env, stdin=b"reg.example")
        assert (said.status, said.stderr) == (status, "")


def from_shell(script: str, *arguments: str, env: Mapping[str, str], stdin: bytes = b"") -> Said:
    """Runs script, whose $0 is the program."""
    done = subprocess.run(
        ["/bin/sh", "-c", script, installed(), *arguments],
        input=stdin,
        env=env,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def open_stdin(*, terminal: bool) -> Iterator[int]:
    """Gives the reading end of a pipe or a terminal to which nobody writes and which stays open."""
    far, near = pty.openpty() if terminal else os.pipe()[::-1]
    try:
        yield near
    finally:
        os.close(far)
        os.close(near)
