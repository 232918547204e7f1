"""The program: what systemd, a second one and a dead one make of it."""

import asyncio
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from grpc import StatusCode

from fakes.cri import Runtime, connected
from fakes.cri.client import V1
from fakes.cri.program import asked, configured, shim
from fakes.cri.runtime import Context, listening
from fakes.loop import in_a_loop
from fakes.programs import environment, finished

STATUS: Final = f"{V1}/ImageStatus"
MAX_RSS: Final = 60 << 20  # bytes


async def hello(_: AsyncIterator[bytes], __: Context) -> AsyncIterator[bytes]:
    yield b"hello"


def test_its_sockets_are_its_users_alone(place: Path) -> None:
    with shim(place):
        for name in ("listen.sock", "status.sock", "listen.sock.lock"):
            mode = (place / name).stat().st_mode
            assert stat.S_IMODE(mode) & 0o077 == 0


def test_a_second_one_leaves_the_first_alone(place: Path) -> None:
    with shim(place) as first:
        inode = (place / "listen.sock").stat().st_ino
        second = finished(["pullpass-cri", "--config", str(place / "config.toml")],
                          env=environment())  # fmt: skip

        assert second.returncode == 64
        assert second.stderr == (
            f"pullpass-cri: another pullpass-cri runs already: it holds {place}/listen.sock.lock\n"
        )
        assert (place / "listen.sock").stat().st_ino == inode
        assert first.popen.poll() is None


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
@in_a_loop
async def test_one_that_ended_is_followed_by_another(place: Path, end: signal.Signals) -> None:
    """After a kill its sockets are still there; a client's connection finds the new one."""
    runtime = Runtime(answers={STATUS: hello})
    async with (
        listening(runtime, place / "backend.sock"),
        connected(place / "listen.sock") as client,
    ):
        with shim(place) as first:
            await client.call(STATUS, timeout=5, wait=True)
            first.popen.send_signal(end)
            await asyncio.to_thread(first.popen.wait, 5)
        assert (place / "listen.sock").exists() == (end is signal.SIGKILL)

        with shim(place):
            assert await client.call(STATUS, timeout=5, wait=True) == b"hello"


@in_a_loop
async def test_one_that_is_killed_takes_the_pulls_that_run_with_it(place: Path) -> None:
    """The client hears of it at once, and the runtime fetches no further layer."""
    runtime = Runtime()
    runtime.gate.clear()
    async with (
        listening(runtime, place / "backend.sock"),
        connected(place / "listen.sock") as client,
    ):
        with shim(place) as process:
            pull = client.pull("elsewhere.example.com/app")
            arrived = await runtime.call()
            process.popen.send_signal(signal.SIGKILL)
            error = await asyncio.wait_for(client.refused(pull), 5)
            await asyncio.wait_for(arrived.ended.wait(), 5)

    assert error.code() is StatusCode.UNAVAILABLE
    assert arrived.broken_off


@in_a_loop
async def test_a_pull_that_outlasts_the_drain_is_broken_off(place: Path) -> None:
    runtime = Runtime()
    runtime.gate.clear()
    async with (
        listening(runtime, place / "backend.sock"),
        connected(place / "listen.sock") as client,
    ):
        with shim(place, 'drain = "1s"') as process:
            pull = client.pull("elsewhere.example.com/app")
            await runtime.call()
            process.popen.send_signal(signal.SIGTERM)
            error = await client.refused(pull)
            assert await asyncio.to_thread(process.popen.wait, 10) == 0

    assert error.code() in {StatusCode.UNAVAILABLE, StatusCode.CANCELLED}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_asked_to(place: Path, number: signal.Signals) -> None:
    with shim(place) as process:
        process.popen.send_signal(number)

        assert process.popen.wait(10) == 0
        assert '"ended"' in process.printed()
        assert not (place / "listen.sock").exists()


def test_health_and_metrics_are_on_a_socket_of_their_own(place: Path) -> None:
    with shim(place) as process:
        assert asked(place, "/healthz") == (200, "ok\n")
        process.until(lambda: "runtime-unreachable" in process.printed())
        assert asked(place, "/readyz") == (503, "the runtime is unreachable\n")
        assert asked(place, "/elsewhere")[0] == 404
        status, metrics = asked(place, "/metrics")

    assert status == 200
    assert 'pullpass_cri_pulls_total{outcome="authorised"} 0\n' in metrics
    assert "pullpass_cri_runtime_up 0\n" in metrics


@in_a_loop
async def test_readiness_follows_the_runtime(place: Path) -> None:
    with shim(place) as process:
        async with listening(Runtime(), place / "backend.sock"):
            for _ in range(200):
                if "runtime-reachable" in process.printed():
                    break
                await asyncio.sleep(0.05)
            assert await asyncio.to_thread(asked, place, "/readyz") == (200, "ok\n")


def test_whoever_sends_nonsense_to_the_status_socket_gets_400_or_nothing(place: Path) -> None:
    with shim(place):
        for sent, answer in ((b"POST / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 "), (b"x" * 9000, b"")):
            with socket.socket(socket.AF_UNIX) as somebody:
                somebody.settimeout(5)
                somebody.connect(str(place / "status.sock"))
                somebody.sendall(sent)
                try:
                    assert somebody.recv(13) == answer
                except ConnectionResetError:
                    assert not answer
        assert asked(place, "/healthz")[0] == 200


def test_a_folder_that_others_may_write_to_is_refused(place: Path) -> None:
    folder = place / "open"
    folder.mkdir()
    folder.chmod(0o777)
    file = configured(place)
    file.write_text(file.read_text().replace(f"{place}/listen", f"{folder}/listen"))

    done = finished(["pullpass-cri", "--config", str(file)], env=environment())

    assert done.returncode == 78
    assert f"cri.listen: others can write in {folder}" in done.stderr


def test_a_wrong_setting_ends_it_with_one_line(place: Path) -> None:
    file = configured(place, 'credentials = "magic"')

    done = finished(["pullpass-cri", "--config", str(file)], env=environment())

    assert done.returncode == 78
    assert done.stderr == 'pullpass-cri: cri.credentials: takes "agent" or "in-process"\n'


def test_it_is_small_and_has_no_cryptography_where_an_agent_has_the_keys(place: Path) -> None:
    with shim(place) as process:
        rss = int(Path(f"/proc/{process.popen.pid}/statm").read_text().split()[1])
        maps = Path(f"/proc/{process.popen.pid}/maps").read_text()

        assert rss * os.sysconf("SC_PAGESIZE") < MAX_RSS
        assert "cryptography" not in maps
