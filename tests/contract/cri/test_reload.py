"""What the program tells systemd, and what it takes of new settings while it runs."""

import asyncio
import signal
import socket
from functools import partial
from pathlib import Path
from typing import Final

from fakes.cri import Runtime, connected
from fakes.cri.program import asked, configured, shim
from fakes.cri.runtime import listening
from fakes.loop import in_a_loop
from fakes.programs import Process
from fakes.systemd import systemd

IMAGE: Final = "registry.example.com/team/app:v1"
REGISTRY: Final = """
[keys.identity]
[issuers.nodes]
issuer = "https://id.example.com/nodes"
signing_key = "identity"
[issuers.nodes.roles.pull]
allowed_audiences = ["registry.example.com"]
subject_template = "puller"
[registry."registry.example.com"]
provider = "passthrough"
[[registry."registry.example.com".credential]]
issuer = "nodes"
role = "pull"
"""


def test_systemd_is_told_of_readiness_life_reload_and_end(place: Path) -> None:
    with (
        systemd(str(place / "notify")) as manager,
        shim(place, NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="200000") as process,
    ):
        assert manager.told() == "READY=1"
        with socket.socket(socket.AF_UNIX) as kubelet:
            kubelet.connect(str(place / "listen.sock"))
        assert [manager.told() for _ in range(3)] == ["WATCHDOG=1"] * 3
        process.popen.send_signal(signal.SIGHUP)
        assert any(one.startswith("RELOADING=1\nMONO") for one in manager.until("READY=1"))
        assert process.stop() == 0
        manager.until("STOPPING=1")


@in_a_loop
async def test_sighup_takes_new_settings_and_keeps_the_old_ones_from_bad_ones(place: Path) -> None:
    async with (
        listening(Runtime(), place / "backend.sock"),
        connected(place / "listen.sock") as client,
    ):
        with shim(place) as process:
            file = place / "config.toml"
            assert await client.pull(IMAGE) == b"\x0a\x03ref"  # none of ours yet

            configured(place, REGISTRY)
            await reloaded(process, 1)
            error = await client.refused(client.pull(IMAGE))
            assert f"no agent at {place}/agent.sock" in (error.details() or "")

            for number, bad in enumerate(("nonsense = ", "[cri]\nmore = 1", "\0"), 2):
                file.write_text(bad)
                await reloaded(process, number)
            file.unlink()
            await reloaded(process, 5)
            error = await client.refused(client.pull(IMAGE))
            assert (error.details() or "").startswith("RegistryUnavailable: ")
            metrics = (await asyncio.to_thread(asked, place, "/metrics"))[1]
        log = process.printed()

    assert 'pullpass_cri_reloads_total{outcome="ok"} 1\n' in metrics
    assert 'pullpass_cri_reloads_total{outcome="error"} 4\n' in metrics
    assert log.count('"kept": "the old configuration"') == 4


async def reloaded(process: Process, number: int) -> None:
    """Sends SIGHUP and waits for the line that tells of it, the one of that number."""
    process.popen.send_signal(signal.SIGHUP)
    ready = partial(process.until, lambda: process.printed().count('"event": "reload"') == number)
    await asyncio.to_thread(ready)


def test_what_only_a_new_process_takes_is_said_at_a_reload(place: Path) -> None:
    with shim(place) as process:
        file = configured(place)
        file.write_text(file.read_text().replace("backend.sock", "other.sock"))
        process.popen.send_signal(signal.SIGHUP)
        process.until(lambda: '"restart_for": "cri.backend"' in process.printed())
