"""Programs in the background, taken down however a test ends."""

import itertools
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, TypeVar

from fakes.issued import overheard

READY_WITHIN: Final = 30.0  # seconds; a program is up in far less, a busy machine is not
STOPS_WITHIN: Final = 15.0  # seconds between SIGTERM and SIGKILL
ENDS_WITHIN: Final = 120.0  # seconds for one that ends by itself; a pull takes less than one
POLL: Final = 0.02  # seconds
PORTS: Final = (20_000, 32_768)  # Linux gives outgoing connections those above

_GIVEN: Final[set[int]] = set()
T = TypeVar("T")
Finished = subprocess.CompletedProcess[str]


class NotReady(Exception):
    """A program ended early or was not ready in time. Holds its log."""


@dataclass(frozen=True, slots=True)
class Process:
    """A program that runs, and the file that takes what it prints."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def children(self) -> set[str]:
        """Returns the numbers of the processes that it started and that run."""
        pid = self.popen.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def printed(self) -> str:
        """Returns what the program has printed so far."""
        return self.log.read_text(errors="replace")

    def until(self, ready: Callable[[], T | None], *, seconds: float = READY_WITHIN) -> T:
        """Returns the first true answer of ready. Raises: NotReady."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if answer := ready():
                return answer
            if self.popen.poll() is not None:
                raise NotReady(f"{self.popen.args!r} ended:\n{self.printed()}")
            time.sleep(POLL)
        raise NotReady(f"{self.popen.args!r} not ready in {seconds} s:\n{self.printed()}")

    def stop(self) -> int:
        """Asks the program to end, kills it if it does not, and returns its exit status."""
        self.popen.terminate()
        try:
            return self.popen.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait(STOPS_WITHIN)


@contextmanager
def running(
    argv: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Runs argv in env (default: ``environment()``) for the length of a block.

    The log is printed at the end: pytest shows it where the test failed.
    """
    with log.open("wb") as output:
        popen = subprocess.Popen(
            argv,
            env=environment() if env is None else env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for pytest, which then takes this down in order
        )
    process = Process(popen, log)
    try:
        yield process
    finally:
        process.stop()
        print(f"--- {argv[0]}\n{process.printed()}")


def finished(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    seconds: float = ENDS_WITHIN,
) -> Finished:
    """Runs argv to its end, in so many seconds; its status is the caller's to judge."""
    done = subprocess.run(
        argv,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=seconds,
    )
    overheard(done.stderr)
    return done


def environment(**variables: str) -> dict[str, str]:
    """Returns an environment with variables and nothing of the caller's but coverage's own.

    PATH finds the programs of this virtual environment first, so docker-credential-pullpass too.
    """
    scripts = Path(sys.executable).parent
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    path = f"{scripts}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C.UTF-8"} | kept | variables


def uncovered(env: Mapping[str, str]) -> dict[str, str]:
    """Returns env without what counts covered lines: that takes longer than a small program."""
    return {name: value for name, value in env.items() if not name.startswith("COVERAGE_")}


def free_port() -> int:
    """Returns a free TCP port of loopback, and none that the system gives away by itself.

    Nobody is given it again, whether or not it is listened at yet, nor by another pytest worker.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    tries = (random.randrange(PORTS[0] + worker, PORTS[1], workers) for _ in itertools.count())
    port = next(port for port in tries if port not in _GIVEN and _is_free(port))
    _GIVEN.add(port)
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def listens(port: int) -> bool:
    """Tells whether somebody takes connections on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(port: int, path: str = "/") -> bool:
    """Tells whether ``http://127.0.0.1:port/path`` answers with a status below 500."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
