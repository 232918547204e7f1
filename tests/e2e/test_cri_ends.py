"""How pulls of a real containerd end: by a deadline, by whoever asked, by a death, by a drain."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from grpc import StatusCode, aio

from fakes.cri import Client
from fakes.cri.client import V1
from fakes.cri.node import Node, is_there, node
from fakes.deployment import Deployment
from fakes.loop import in_a_loop, until
from fakes.programs import Containerd, containerd, tiny_image
from fakes.relay import Relay, relay

FS: Final = f"{V1}/ImageFsInfo"
BIG: Final = 1 << 20  # bytes of a layer that does not shrink
HELD_AT: Final = 1 << 17  # bytes of an answer: manifests are shorter, the layer is not


@pytest.fixture
def runtime() -> Iterator[Containerd]:
    with containerd() as prepared:
        yield prepared


@pytest.fixture(scope="module")
def big(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image in the deployment's registry with a layer of a megabyte."""
    image = tiny_image(tmp_path_factory.mktemp("big"), os.urandom(BIG))
    return deployment.publish(image, "team/big:v1")


@asynccontextmanager
async def slow(deployment: Deployment, runtime: Containerd) -> AsyncIterator[tuple[Node, Relay]]:
    """Gives a node whose layers stop on their way, until the relay is opened."""
    async with relay(deployment.registry, HELD_AT) as registry:
        host = f"http://{registry.address}"
        runtime.mirror(deployment.registry, host)
        yield node(deployment, runtime, cri={"server_address": host}), registry


@in_a_loop
async def test_a_pull_that_is_cancelled_closes_the_connections_to_the_registry(
    deployment: Deployment, runtime: Containerd, big: str
) -> None:
    async with slow(deployment, runtime) as (made, registry), made.up() as client:
        pull = client.pull(big)
        await until(lambda: registry.held)
        pull.cancel()

        await asyncio.wait_for(until(lambda: not registry.held), 20)


@in_a_loop
async def test_a_deadline_ends_a_pull_and_its_connections_to_the_registry(
    deployment: Deployment, runtime: Containerd, big: str
) -> None:
    async with slow(deployment, runtime) as (made, registry), made.up() as client:
        pull = client.pull(big, timeout=10)
        await until(lambda: registry.held)
        error = await client.refused(pull)

        assert error.code() is StatusCode.DEADLINE_EXCEEDED
        await asyncio.wait_for(until(lambda: not registry.held), 20)


@in_a_loop
async def test_a_shim_that_is_killed_ends_the_pull_and_the_next_one_serves(
    deployment: Deployment, runtime: Containerd, big: str
) -> None:
    """The same connection of the client's finds the new shim, which binds over the socket left."""
    async with slow(deployment, runtime) as (made, registry), made.client() as client:
        with runtime.runs():
            with made.shim() as process:
                await _until_up(client)
                pull = client.pull(big)
                await until(lambda: registry.held)
                process.popen.kill()
                error = await asyncio.wait_for(client.refused(pull), 20)
                await asyncio.wait_for(until(lambda: not registry.held), 20)
                await asyncio.to_thread(process.popen.wait, 20)
            assert (made.place / "cri.sock").is_socket()
            registry.open.set()
            with made.shim():
                await _until_up(client)
                await client.pull(big)
                assert await is_there(client, big)

    assert error.code() is StatusCode.UNAVAILABLE


@in_a_loop
async def test_a_shim_that_ends_drains(
    deployment: Deployment, runtime: Containerd, big: str
) -> None:
    """The pull that runs is finished, a new one refused, everything else served to the end."""
    async with slow(deployment, runtime) as (made, registry), made.client() as client:
        with runtime.runs(), made.shim() as process:
            await _until_up(client)
            pull = client.pull(big)
            await until(lambda: registry.held)
            process.popen.send_signal(signal.SIGTERM)
            process.until(lambda: '"draining"' in process.printed())

            late = await client.refused(client.pull(big, timeout=30))
            await client.call(FS, timeout=30)
            registry.open.set()
            assert (await pull).startswith(b"\x0a\x47sha256:")
            assert await asyncio.to_thread(process.popen.wait, 15) == 0

    assert late.code() is StatusCode.UNKNOWN
    assert (late.details() or "").startswith("RegistryUnavailable: pullpass-cri is about to end")


@in_a_loop
async def test_slow_pulls_leave_everything_else_quick(
    deployment: Deployment, runtime: Containerd, big: str
) -> None:
    async with slow(deployment, runtime) as (made, registry), made.up() as client:
        pulls = [client.pull(big) for _ in range(64)]
        await until(lambda: registry.held)
        for _ in range(20):
            await client.call(FS, timeout=20)
        registry.open.set()
        assert len(set(await asyncio.gather(*pulls))) == 1


@in_a_loop
async def test_containerd_restarts_and_the_shim_goes_on(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    made = node(deployment, runtime)
    with runtime.runs():
        pass
    with made.shim():
        async with made.client() as client:
            down = await client.refused(client.pull(reference, timeout=30))
            with runtime.runs():
                await _until_up(client)
                await client.pull(reference)

    assert down.code() is StatusCode.UNAVAILABLE


async def _until_up(client: Client) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await client.call(FS, timeout=5)
            except aio.AioRpcError as error:
                # containerd's socket is there before its plugins are
                assert error.code() in {StatusCode.UNAVAILABLE, StatusCode.UNKNOWN}
                await asyncio.sleep(0.05)
            else:
                return
