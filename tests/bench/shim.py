"""What the CRI shim costs, against containerd itself and a proxy that does nothing else.

All are asked in turns, in the same run, by a client in C. A warm PullImage goes to containerd with
a credential in it and to the shim without one, which gives again what the agent gave it.
"""

import json
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc

from bench import h2load
from bench.h2load import Call
from bench.report import Figure, Memory, Report, Row, Whose, bounds, in_turns, remembered
from fakes.cri import pull_request
from fakes.cri.client import V1
from fakes.deployment import Deployment, deployed
from fakes.programs import Containerd, Process, containerd, environment, running, tiny_image
from pullpass_plugin._proto.cri_pb2 import AuthConfig

CONCURRENCIES: Final = (1, 32, 256)
SLOW_PULLS: Final = 64
WITHIN: Final = 30.0  # seconds until pulls have reached their registry
DIRECT, BARE, SHIM = "containerd", "a bare proxy", "pullpass-cri"
WHOSE: Final = {DIRECT: Whose.PEER, BARE: Whose.FLOOR, SHIM: Whose.OURS}
BARE_PROXY: Final = Path(__file__).with_name("bare_proxy.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many calls: so many each round, and so many of those at any time."""

    at_once: int
    rounds: int
    each: int


def measured(rounds: int, each: int, calls: int) -> Report:
    """Returns the times of so many rounds of each calls, and the memory over so many calls."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runtime = stack.enter_context(containerd())
        stack.enter_context(runtime.runs())
        deployment = stack.enter_context(deployed(folder / "deployment"))
        image = deployment.publish(tiny_image(folder / "image"))
        place = runtime.directory
        stack.enter_context(_agent(deployment, place))
        shim = stack.enter_context(_shim(deployment, runtime, "shim", "agent"))
        alone = stack.enter_context(_shim(deployment, runtime, "alone", "in-process"))
        stack.enter_context(_bare(runtime))
        sockets = {DIRECT: runtime.socket, BARE: place / "bare.sock", SHIM: place / "shim.sock"}
        pulls, status = _pulls(deployment, image), _status(image)
        rows = []
        for at_once in CONCURRENCIES:
            load = Load(at_once=at_once, rounds=rounds, each=max(each, 4 * at_once))
            rows += _compared("ImageStatus", dict.fromkeys(sockets, status), sockets, load)
        for at_once in CONCURRENCIES:  # a pull takes as long as many looks, and now and then twice
            few, some = max(1, 5 * rounds // at_once), max(1, each // 30, at_once)
            load = Load(at_once=at_once, rounds=few, each=some)
            rows += _compared("warm PullImage", pulls, sockets, load)
        slow = _under_slow_pulls(sockets, status, rounds * each)
        memory = [
            _memory("shim, asks the agent", shim, place / "shim.sock", status, calls),
            _memory("shim, in process", alone, place / "alone.sock", status, calls),
        ]
    return Report(
        title="pullpass-cri",
        rows=[*rows, *slow],
        figures=[*_figures(rows, slow), *bounds(memory[0], calls), *bounds(memory[1], calls)],
        memory=memory,
    )


def _figures(rows: list[Row], slow: list[Row]) -> list[Figure]:
    median = {row.what: row.p50 for row in rows if row.callers == 1}
    status, pull = (
        {name: median[f"{what}: {name}"] for name in (DIRECT, SHIM)}
        for what in ("ImageStatus", "warm PullImage")
    )
    worst = max(row.worst for row in slow if row.whose is Whose.OURS)
    added, share = status[SHIM] - status[DIRECT], 100 * (pull[SHIM] / pull[DIRECT] - 1)
    return [
        Figure(what="added to ImageStatus", value=added, most=0.7, unit=" ms"),
        Figure(what="added to a warm PullImage", value=share, most=15, unit=" %"),
        Figure(
            what=f"ImageStatus at worst, {SLOW_PULLS} slow pulls", value=worst, most=100, unit=" ms"
        ),
    ]


def _compared(
    what: str, calls: Mapping[str, Call], sockets: Mapping[str, Path], load: Load
) -> list[Row]:
    reply = h2load.replied(sockets[DIRECT], calls[DIRECT])
    runs: dict[str, Callable[[], list[float]]] = {
        name: partial(
            h2load.took, sockets[name], call, calls=load.each, at_once=load.at_once, reply=reply
        )
        for name, call in calls.items()
    }
    took = in_turns(runs, load.rounds)
    return [
        Row(what=f"{what}: {name}", whose=WHOSE[name], callers=load.at_once, took=took[name])
        for name in calls
    ]


def _pulls(deployment: Deployment, image: str) -> dict[str, Call]:
    found = json.loads(deployment.pullpass("get", "--json", "--show-secret", image))
    auth = AuthConfig(username=found["username"], password=found["secret"])
    given, bare = pull_request(image, auth=auth), pull_request(image)
    return {
        DIRECT: Call(f"{V1}/PullImage", given.SerializeToString()),
        SHIM: Call(f"{V1}/PullImage", bare.SerializeToString()),
    }


def _status(image: str) -> Call:
    spec = pull_request(image).image.SerializeToString()
    return Call(f"{V1}/ImageStatus", b"\x0a" + bytes([len(spec)]) + spec)


def _under_slow_pulls(sockets: Mapping[str, Path], status: Call, calls: int) -> list[Row]:
    rows = []
    for name in (DIRECT, SHIM):
        with _slow_pulls(sockets[name]):
            took = h2load.took(sockets[name], status, calls=calls)
        what = f"ImageStatus, {SLOW_PULLS} slow pulls: {name}"
        rows.append(Row(what=what, whose=WHOSE[name], took=took))
    return rows


@contextmanager
def _slow_pulls(path: Path) -> Iterator[None]:
    """Has images pulled, for the length of a block, from a registry that never answers."""
    with ExitStack() as stack:
        registry = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=SLOW_PULLS))
        registry.settimeout(WITHIN)
        options = [("grpc.default_authority", "localhost")]
        channel = stack.enter_context(grpc.insecure_channel(f"unix:{path}", options=options))
        pull: Any = channel.unary_unary(f"{V1}/PullImage")
        for number in range(SLOW_PULLS):
            image = f"127.0.0.1:{registry.getsockname()[1]}/team/slow-{number}:v1"
            running = pull.future(pull_request(image).SerializeToString())
            stack.callback(running.cancel)
        for _ in range(SLOW_PULLS):
            stack.enter_context(registry.accept()[0])
        yield


def _memory(of: str, process: Process, path: Path, status: Call, calls: int) -> Memory:
    def ask(some: int) -> None:
        h2load.took(path, status, calls=some, at_once=32)

    return remembered(of, process.popen.pid, calls, ask)


@contextmanager
def _agent(deployment: Deployment, place: Path) -> Iterator[None]:
    config = deployment.settings("agent", reuse="10m")
    with config.open("a") as text:
        text.write(f'[agent]\nsocket = "{place}/agent.sock"\n')
    env = environment(**deployment.environment(config))
    with running(["pullpass", "agent"], log=place / "agent.log", env=env) as process:
        process.until((place / "agent.sock").is_socket)
        yield


@contextmanager
def _shim(
    deployment: Deployment, runtime: Containerd, name: str, credentials: str
) -> Iterator[Process]:
    place, config = runtime.directory, deployment.settings(name)
    with config.open("a") as text:
        text.write(
            f'[cri]\nlisten = "{place}/{name}.sock"\nstatus = "{place}/{name}-status.sock"\n'
            f'backend = "{runtime.socket}"\nagent = "{place}/agent.sock"\n'
            f'credentials = "{credentials}"\n'
        )
    env = environment(**deployment.environment(config))
    with running(["pullpass-cri"], log=place / f"{name}.log", env=env) as process:
        process.until(lambda: '"listening"' in process.printed())
        yield process


@contextmanager
def _bare(runtime: Containerd) -> Iterator[None]:
    listen = runtime.directory / "bare.sock"
    argv: list[str | Path] = [sys.executable, BARE_PROXY, runtime.socket, listen]
    with running(argv, log=runtime.directory / "bare.log") as process:
        process.until(listen.is_socket)
        yield
