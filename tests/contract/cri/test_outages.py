"""A runtime that is down for a while, and what the shim says meanwhile."""

import asyncio
from pathlib import Path
from typing import Final

from grpc import StatusCode, aio

from fakes.cri import Client, Runtime, bench
from fakes.cri.runtime import echo, listening
from fakes.loop import in_a_loop, until

STATUS: Final = "/runtime.v1.ImageService/ImageStatus"


@in_a_loop
async def test_a_runtime_that_is_down_is_told_at_once_and_the_shim_goes_on(place: Path) -> None:
    async with bench(place, up=False, runtime=Runtime(answers={STATUS: echo})) as found:
        error = await found.client.refused(found.client.call(STATUS, timeout=5))
        assert error.code() is StatusCode.UNAVAILABLE
        assert not found.counters.runtime_up

        async with listening(found.runtime, found.config.cri.backend):
            assert await _within(10, found.client, STATUS) == b"x"


@in_a_loop
async def test_a_runtime_that_was_down_for_long_is_found_as_soon_as_it_is_back(
    place: Path,
) -> None:
    """By gRPC's own settings it takes the longer the longer it was down."""
    runtime = Runtime(answers={STATUS: echo})
    async with bench(place, up=False, runtime=runtime) as found:
        await _until_down(found.client)
        await asyncio.sleep(20)  # the outage
        async with listening(runtime, found.config.cri.backend):
            assert await _within(5, found.client, STATUS) == b"x"


@in_a_loop
async def test_a_runtime_that_restarts_is_found_again_within_a_second_or_two(place: Path) -> None:
    runtime = Runtime(answers={STATUS: echo})
    async with bench(place, up=False, runtime=runtime) as found:
        for _ in range(2):
            async with listening(runtime, found.config.cri.backend):
                assert await _within(10, found.client, STATUS) == b"x"
                await until(lambda: found.counters.runtime_up)
            await _until_down(found.client)
            await until(lambda: not found.counters.runtime_up)

        # The lines tell of changes, not of calls.
        changes = [line["event"] for line in found.log if line["event"].startswith("runtime-")]
        assert changes == [
            *(["runtime-unreachable"] if changes[0] == "runtime-unreachable" else []),
            *("runtime-reachable", "runtime-unreachable"),
            *("runtime-reachable", "runtime-unreachable"),
        ]


async def _within(seconds: float, client: Client, method: str) -> bytes:
    """Returns the first answer that is no UNAVAILABLE."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await client.call(method, b"x", timeout=5)
            except aio.AioRpcError as error:
                assert error.code() is StatusCode.UNAVAILABLE
                await asyncio.sleep(0.05)


async def _until_down(client: Client) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                await client.call(STATUS, b"x", timeout=5)
            except aio.AioRpcError:
                return
