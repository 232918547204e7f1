"""``pullpass demo``: with nothing installed, with the real programs, in a pipe, on a terminal."""

import errno
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fakes.issued import overheard
from fakes.programs import client_home, docker, dockerd, environment
from fakes.resting import TOKEN

STEPS = ["start", "push", "mint", "exchange", "challenge", "token", "pull", "refuse", "promise"]
BARE = {"PATH": str(Path(sys.executable).parent)}  # neither docker-registry nor any client
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
WITHIN = 120  # seconds


@pytest.mark.parametrize(
    ("client", "variables", "registry", "puller"),
    [
        ("skopeo", {}, "docker-registry 2.8.2", "skopeo "),
        ("podman", {}, "docker-registry 2.8.2", "podman "),
        ("builtin", {}, "docker-registry 2.8.2", "builtin"),
        (None, BARE, "embedded", "builtin"),
    ],
)
def test_each_step_is_shown_as_one_json_object(
    tmp_path: Path, client: str | None, variables: dict[str, str], registry: str, puller: str
) -> None:
    chosen = ["--client", client] if client else []

    lines = [json.loads(line) for line in demo(tmp_path, "--json", *chosen, **variables)]

    shown = {line["step"]: line for line in lines}
    assert [line["step"] for line in lines] == STEPS
    assert shown["start"]["registry_program"].startswith(registry)
    assert shown["pull"]["client"].startswith(puller)
    assert shown["mint"]["claims"]["sub"] == "registry-pull"
    assert shown["mint"]["claims"]["aud"] == shown["start"]["registry"]
    assert shown["token"]["granted"] == ["repository:team/app:pull"]
    assert all(DIGEST.fullmatch(digest) for digest in shown["pull"]["digests"])
    assert set(shown["pull"]["digests"]) <= set(shown["push"]["digests"])
    assert all(isinstance(line["seconds"], float) for line in lines)
    assert_promise(shown["promise"])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_stays_behind_however_it_ends(tmp_path: Path, how: signal.Signals) -> None:
    argv = [sys.executable, "-m", "pullpass", "demo", "--json"]
    variables = environment(HOME=str(tmp_path), **{**BARE, "TMPDIR": str(tmp_path)})
    running = subprocess.Popen(argv, env=variables, stdout=subprocess.PIPE, text=True)
    with running:
        assert running.stdout is not None
        started = json.loads(running.stdout.readline())
        running.send_signal(how)
        running.communicate(timeout=WITHIN)
    host, _, port = started["registry"].partition(":")

    assert running.returncode == 128 + how
    assert not Path(started["directory"]).exists()
    with socket.socket() as asked:
        assert asked.connect_ex((host, int(port))) == errno.ECONNREFUSED


def test_docker_pulls_where_an_engine_runs_and_keeps_nothing(tmp_path: Path) -> None:
    with dockerd() as host:
        lines = [
            json.loads(line)
            for line in demo(tmp_path, "--json", "--client", "docker", DOCKER_HOST=host)
        ]
        images = docker(client_home(tmp_path / "home"), "images", "--quiet", DOCKER_HOST=host)

    pull = lines[STEPS.index("pull")]
    assert pull["client"].startswith("docker ")
    assert pull["digests"] == lines[STEPS.index("push")]["digests"][:1]
    assert images.stdout == ""


def assert_promise(step: dict[str, Any]) -> None:
    assert step["canary"] == "planted, found, removed"
    assert (step["secrets"], step["files"], step["bytes"]) > (8, 8, 1000)
    assert step["found"] == 0


def test_a_pipe_gets_plain_lines_without_secrets(tmp_path: Path) -> None:
    printed = "\n".join(demo(tmp_path))

    assert "skopeo" in printed
    assert "\x1b" not in printed
    assert not re.search(TOKEN, printed)


def test_a_terminal_gets_colours_and_a_progress_display(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["pullpass", "demo"],
        env=environment(HOME=str(tmp_path), TERM="xterm-256color"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)

    printed = read_terminal(ours)

    assert process.wait(WITHIN) == 0, printed
    assert "\x1b[32m✓" in printed
    assert "…" in printed


def read_terminal(terminal: int) -> str:
    """Returns all that is printed until the program closes its side."""
    printed = b""
    try:
        while chunk := os.read(terminal, 65536):
            printed += chunk
    except OSError:  # Linux says «input/output error» when the other side is gone
        pass
    finally:
        os.close(terminal)
    return printed.decode()


def test_it_needs_nothing_but_loopback(tmp_path: Path) -> None:
    alone = ["unshare", "--net", "sh", "-c", "ip link set lo up && exec pullpass demo --json"]

    lines = run(tmp_path, alone)

    assert json.loads(lines[-1])["step"] == "promise"


def test_what_it_writes_can_be_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept"

    demo(tmp_path, "--keep", str(kept))

    assert (kept / "node" / "audit.jsonl").exists()
    assert (kept / "home" / ".docker" / "config.json").exists()
    again = subprocess.run(
        ["pullpass", "demo", "--keep", kept],
        env=environment(HOME=str(tmp_path)),
        check=False,
        capture_output=True,
        text=True,
        timeout=WITHIN,
    )
    assert again.returncode == 64
    assert "name a new directory" in again.stderr


def demo(home: Path, *arguments: str, **variables: str) -> list[str]:
    return run(home, ["pullpass", "demo", *arguments], **variables)


def run(home: Path, argv: list[str], **variables: str) -> list[str]:
    done = subprocess.run(
        argv,
        env=environment(HOME=str(home), **variables),
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=WITHIN,
    )
    assert done.returncode == 0, done.stderr
    overheard(done.stderr)
    return overheard(done.stdout).splitlines()
