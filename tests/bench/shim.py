"""What the CRI shim costs, against containerd itself: ``python tests/bench/shim.py``. Needs root.

ImageStatus and a warm PullImage at several concurrencies, ImageStatus while slow pulls run, and the
shim's memory. Both are asked in turns by the same client in the same run: compare rows, since the
client is Python too and takes a share of each figure.
"""

import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.cri import Client, Runtime, connected, pull_request
from fakes.cri.client import V1
from fakes.cri.runtime import listening
from fakes.deployment import Deployment, deployed
from fakes.programs import Containerd, Process, containerd, environment, running, tiny_image
from pullpass_plugin._proto.cri_pb2 import AuthConfig

CONCURRENCIES: Final = (1, 32, 256)
SECONDS: Final = float(os.environ.get("SECONDS_EACH", "3"))
SLOW_PULLS: Final = 64
MANY: Final = int(os.environ.get("CALLS", "100000"))

Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement; times are milliseconds."""

    what: str
    target: str
    concurrency: int
    p50: float
    p99: float
    worst: float
    rate: float


async def measured(ask: Ask, concurrency: int, seconds: float = SECONDS) -> list[float]:
    """Returns the milliseconds of each call that as many callers made one after the other."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    async def caller() -> None:
        while (began := time.perf_counter()) < until:
            await ask()
            took.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(caller() for _ in range(concurrency)))
    return took


def row(what: str, target: str, concurrency: int, took: list[float], seconds: float) -> Row:
    """Sums up took."""
    cuts = statistics.quantiles(took, n=100)
    return Row(
        what=what,
        target=target,
        concurrency=concurrency,
        p50=statistics.median(took),
        p99=cuts[98],
        worst=max(took),
        rate=len(took) / seconds,
    )


async def compared(what: str, asks: dict[str, Ask], concurrency: int) -> list[Row]:
    """Measures each target twice, in turns, so that what else the machine does hits both."""
    took: dict[str, list[float]] = {target: [] for target in asks}
    for _ in range(2):
        for target, ask in asks.items():
            await ask()
            took[target] += await measured(ask, concurrency, SECONDS / 2)
    return [row(what, target, concurrency, all_, SECONDS) for target, all_ in took.items()]


def status_of(image: str) -> bytes:
    """Returns the request of ImageStatus."""
    spec = pull_request(image).image.SerializeToString()
    return b"\x0a" + bytes([len(spec)]) + spec


def settings(deployment: Deployment, place: Path, backend: Path, name: str) -> Path:
    """Writes the settings of a shim before backend."""
    file = deployment.settings(name)
    with file.open("a") as text:
        text.write(
            f'[cri]\nlisten = "{place}/{name}.sock"\nstatus = "{place}/{name}-status.sock"\n'
            f'backend = "{backend}"\nagent = "{place}/none.sock"\n'
        )
    return file


@asynccontextmanager
async def shim(deployment: Deployment, place: Path, backend: Path, name: str) -> Any:
    """Runs a shim before backend and gives it and a client of it."""
    env = environment(**deployment.environment(settings(deployment, place, backend, name)))
    with running(["pullpass-cri"], log=place / f"{name}.log", env=env) as process:
        process.until(lambda: '"listening"' in process.printed())
        async with connected(place / f"{name}.sock") as client:
            yield process, client


def rss(process: Process) -> float:
    """Returns the MB that process has in memory."""
    pages = int(Path(f"/proc/{process.popen.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


async def against_containerd(
    deployment: Deployment, image: str, runtime: Containerd
) -> tuple[list[Row], dict[str, float]]:
    """Measures both against a real runtime."""
    rows: list[Row] = []
    place = runtime.directory
    async with AsyncExitStack() as stack:
        stack.enter_context(runtime.runs())
        direct = await stack.enter_async_context(connected(runtime.socket))
        process, client = await stack.enter_async_context(
            shim(deployment, place, runtime.socket, "shim")
        )
        # The kubelet's own credential: what is compared is the hop, not the exchange.
        pull = pull_request(image, auth=await asyncio.to_thread(_credential, deployment))
        await client.call(f"{V1}/PullImage", pull.SerializeToString())
        clients: dict[str, Client] = {"containerd": direct, "shim": client}
        raw = status_of(image)
        idle = rss(process)
        for concurrency in CONCURRENCIES:
            asks = {name: _status(to, raw) for name, to in clients.items()}
            rows += await compared("ImageStatus", asks, concurrency)
        for concurrency in CONCURRENCIES[:2]:
            asks = {name: _pull(to, pull.SerializeToString()) for name, to in clients.items()}
            rows += await compared("warm PullImage", asks, concurrency)
        for _ in range(MANY // 100):
            await asyncio.gather(*(client.call(f"{V1}/ImageStatus", raw) for _ in range(100)))
        memory = {"idle": idle, f"after {MANY} calls": rss(process)}
    return rows, memory


def _status(client: Client, raw: bytes) -> Ask:
    return lambda: client.call(f"{V1}/ImageStatus", raw)


def _pull(client: Client, raw: bytes) -> Ask:
    return lambda: client.call(f"{V1}/PullImage", raw)


def _credential(deployment: Deployment) -> AuthConfig:
    found = json.loads(
        deployment.pullpass("get", "--json", "--show-secret", f"{deployment.registry}/team/app:v1")
    )
    return AuthConfig(username=found["username"], password=found["secret"])


async def under_slow_pulls(deployment: Deployment, place: Path) -> list[Row]:
    """Measures ImageStatus while pulls that do not end wait at a runtime that holds them."""

    async def echo(requests: Any, _: Any) -> Any:
        async for request in requests:
            yield request

    runtime = Runtime(answers={f"{V1}/ImageStatus": echo})
    async with (
        listening(runtime, place / "held.sock"),
        connected(place / "held.sock") as direct,
        shim(deployment, place, place / "held.sock", "slow") as (_, client),
    ):
        rows = []
        for name, to in (("runtime", direct), ("shim", client)):
            runtime.gate.clear()
            runtime.calls.clear()
            pulls = [to.pull("elsewhere.example.com/app") for _ in range(SLOW_PULLS)]
            await runtime.call(SLOW_PULLS - 1)
            took = await measured(_status(to, status_of("elsewhere.example.com/app")), 1)
            rows.append(row(f"ImageStatus, {SLOW_PULLS} pulls", name, 1, took, SECONDS))
            runtime.gate.set()
            await asyncio.gather(*pulls)
    return rows


def table(rows: list[Row], memory: dict[str, float]) -> str:
    """Returns rows as Markdown."""
    lines = [
        "| call | to | callers | p50 ms | p99 ms | worst ms | calls/s |",
        "| --- | --- | --: | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {one.what} | {one.target} | {one.concurrency} | {one.p50:.2f} | {one.p99:.2f}"
        f" | {one.worst:.1f} | {one.rate:.0f} |"
        for one in rows
    ]
    told = ", ".join(f"{size:.1f} MB {when}" for when, size in memory.items())
    return "\n".join([*lines, "", f"The shim's memory: {told}."])


def machine() -> str:
    """Returns what this was measured on."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} × {found[1] if found else 'unknown'}, Python {sys.version.split()[0]}"


def main() -> None:
    """Measures all and prints the table."""
    with tempfile.TemporaryDirectory() as directory, containerd() as runtime:
        folder = Path(directory)
        with deployed(folder / "deployment") as deployment:
            image = deployment.publish(tiny_image(folder / "image"))
            rows, memory = asyncio.run(against_containerd(deployment, image, runtime))
            rows += asyncio.run(under_slow_pulls(deployment, runtime.directory))
    sys.stdout.write(f"{table(rows, memory)}\n\n{machine()}\n")


if __name__ == "__main__":
    main()
