"""stdin reaches whoever needs it whole, and nobody waits for ever."""

import os
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes.fastpath import TIMEOUT, Client, Told, build
from fakes.helper import PROGRAM
from fakes.scripted_agent import NOT_FOUND, SELF, Asked, agent, ok

STILL_OPEN = b"stdin is still open after 25s: try again\n"
TOO_LONG = b"stdin is longer than 65536 bytes: no request is so long\n"
HINT = f"{PROGRAM}: ".encode()
LONGEST = 40.0  # seconds; 25 for the agent, and Python has to start and end on a busy machine


@pytest.mark.parametrize("size", [65537, 70 * 1024, 1 << 20])
def test_a_stdin_that_is_too_long_is_left_to_the_full_program(
    client: Client, env: dict[str, str], place: Path, size: int
) -> None:
    with agent(place, lambda _: ok(b"{}\n")) as running:
        said = client.ask("get", stdin=b"a" * size, env=env | {"PULLPASS_AGENT": str(place)})
    assert said == Told(1, TOO_LONG, HINT + TOO_LONG)
    assert not running.asked


@pytest.mark.parametrize("kind", ["c", "python"])
@pytest.mark.parametrize("size", [0, 1, 65536])
def test_the_program_that_is_started_finds_stdin_as_it_was(
    env: dict[str, str], tmp_path: Path, kind: str, size: int
) -> None:
    build(tmp_path, "/bin/sh", "-c", "cat; echo $0")
    client = Client(tmp_path / kind / PROGRAM)
    stdin = bytes(range(256)) * 256
    expected = Told(0, stdin[:size] + b"get\n", b"")
    with agent(tmp_path / "a.sock", lambda _: SELF):
        for place in ("a.sock", "nobody"):  # read by the client, and untouched
            env = env | {"PULLPASS_AGENT": str(tmp_path / place)}
            assert client.ask("get", stdin=stdin[:size], env=env) == expected


def test_stdin_may_come_in_pieces(client: Client, env: dict[str, str], place: Path) -> None:
    with (
        agent(place, lambda _: ok(b"{}\n")) as running,
        subprocess.Popen(
            [client.path, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env | {"PULLPASS_AGENT": str(place)},
        ) as process,
    ):
        assert process.stdin
        for piece in (b"reg", b".", b"example"):
            process.stdin.write(piece)
            process.stdin.flush()
            time.sleep(0.02)  # between pieces: no order of events hangs on it
        assert process.communicate(timeout=TIMEOUT)[0] == b"{}\n"
    assert running.asked == [Asked("get", b"reg.example")]


def test_a_list_does_not_wait_for_stdin(client: Client, env: dict[str, str], place: Path) -> None:
    with agent(place, lambda _: ok(b"{}\n")):
        said = left_open(client, "list", env | {"PULLPASS_AGENT": str(place)})
    assert said[0] == Told(0, b"{}\n", b"")


def test_nobody_waits_for_ever(built: dict[str, Client], env: dict[str, str], place: Path) -> None:
    """A stdin that stays open is a failure; an agent that is silent is left for the own work."""
    with (
        agent(place, lambda _: None),
        agent(place.with_name("b.sock"), lambda _: ok(b"{}\n")),
        ThreadPoolExecutor(8) as pool,
    ):
        silent = env | {"PULLPASS_AGENT": str(place)}
        ready = env | {"PULLPASS_AGENT": str(place.with_name("b.sock"))}
        waits = {name: pool.submit(patient, one, silent) for name, one in built.items()}
        opens = {name: pool.submit(left_open, one, "get", ready) for name, one in built.items()}
    for name in built:
        said, seconds = waits[name].result()
        assert said == Told(1, NOT_FOUND, b""), name
        assert 20 < seconds < LONGEST, name
        said, seconds = opens[name].result()
        assert said == Told(1, STILL_OPEN, HINT + STILL_OPEN), name
        assert 20 < seconds < LONGEST, name


def patient(client: Client, env: Mapping[str, str]) -> tuple[Told, float]:
    """Returns what client says about other.example, and after how many seconds."""
    started = time.monotonic()
    return client.ask("get", stdin=b"other.example", env=env), time.monotonic() - started


def left_open(client: Client, action: str, env: Mapping[str, str]) -> tuple[Told, float]:
    """Returns what client says while its stdin holds a piece and stays open, and after how long."""
    started = time.monotonic()
    near, far = os.pipe()
    os.write(far, b"other.exam")
    try:
        done = subprocess.run(
            [client.path, action],
            stdin=near,
            env=env,
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
        )
    finally:
        os.close(near)
        os.close(far)
    return Told(done.returncode, done.stdout, done.stderr), time.monotonic() - started
