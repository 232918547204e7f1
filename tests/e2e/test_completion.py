"""A line that is typed at a real shell is completed with the names of the configuration."""

import os
import pty
import select
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from fakes.helper import LOOPBACK, Node, node, registry
from fakes.programs import environment

WITHIN = 30.0  # seconds
STARTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(pullpass completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit; compinit -D -u; source <(pullpass completion zsh)",
    ),
}


@dataclass(frozen=True, slots=True)
class Terminal:
    """A shell behind a terminal."""

    handle: int

    def type(self, text: str) -> None:
        """Types text."""
        os.write(self.handle, text.encode())

    def until(self, wanted: str) -> None:
        """Waits until wanted has come to the screen since the last wait."""
        seen = ""
        deadline = time.monotonic() + WITHIN
        while wanted not in seen:
            ready, _, _ = select.select([self.handle], [], [], deadline - time.monotonic())
            assert ready, f"{wanted!r} is not in {seen!r}"
            seen += os.read(self.handle, 4096).decode(errors="replace")


@contextmanager
def terminal(argv: list[str], env: dict[str, str]) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    )
    os.close(theirs)
    try:
        yield Terminal(ours)
    finally:
        os.close(ours)  # a hang-up ends a shell
        shell.kill()
        shell.wait(WITHIN)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A host with a registry by name and one with a port."""
    insecure = registry(LOOPBACK, "insecure = true")
    return node(tmp_path_factory.mktemp("host"), registry("reg.example"), insecure)


def variables(host: Node) -> dict[str, str]:
    return environment(
        PULLPASS_CONFIG=str(host.config), HOME=str(host.directory), TERM="dumb", PS1="$ "
    )


@pytest.mark.parametrize("shell", STARTS)
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("pullpass chec\treg\t", "check reg.example"),
        (f"pullpass check {LOOPBACK[:-2]}\t", f"check {LOOPBACK}"),
        ("pullpass check 127\t", f"check {LOOPBACK}"),
        ("pullpass get reg\t", "get reg.example/"),
        ("pullpass mint --issuer nod\t--role dock\t", "mint --issuer nodes --role docker-pull"),
    ],
)
def test_a_line_is_completed(host: Node, shell: str, typed: str, completed: str) -> None:
    argv, setup = STARTS[shell]
    with terminal(argv, variables(host)) as screen:
        # The program completes; what the line would run is only shown.
        screen.type(f"{setup}; pullpass() {{ echo \"runs <$*>\"; }}; echo re''ady\n")
        screen.until("ready\r\n")
        screen.type(f"{typed}\n")
        screen.until(f"runs <{completed}>")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("pullpass check reg", ["reg.example"]),
        ("pullpass check 127.0.0.1:", [LOOPBACK]),
        ("pullpass get reg", ["reg.example/"]),
        ("pullpass mint --issuer nodes --role d", ["docker-pull"]),
    ],
)
def test_fish_completes_a_line(host: Node, typed: str, expected: list[str]) -> None:
    script = f"pullpass completion fish | source; complete -C {shlex.quote(typed)}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        env=variables(host),
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == expected
