import asyncio
from collections.abc import Iterator
from itertools import product

import pytest

from fakes.loop import in_a_loop
from fakes.loopback import Loopback, listening
from fakes.sending import PATIENT
from pullpass.http import Request
from pullpass.transport import AsyncHttpTransport


@pytest.fixture
def server() -> Iterator[Loopback]:
    with listening(Loopback()) as running:
        yield running


async def given_up(transport: AsyncHttpTransport, request: Request, turns: int) -> bool:
    """Cancels request after so many turns of the loop; tells whether it was answered before."""
    asked = asyncio.create_task(transport.send(request))
    for _ in range(turns):
        await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait([asked])
    return not asked.cancelled()


@in_a_loop
async def test_whenever_somebody_gives_up_no_connection_is_kept_for_nobody(
    server: Loopback,
) -> None:
    transport = AsyncHttpTransport(PATIENT)
    request = Request(method="GET", url=server.url("plain"))
    answered = set[bool]()
    for fresh, turns in product((True, False), range(60)):
        if not fresh:
            await transport.send(request)
        answered.add(await given_up(transport, request, turns))
        pool = transport._pools[None]._pool
        assert all(one.is_idle() for one in pool.connections), turns
        assert not pool._requests
        await transport.aclose()
    assert False in answered


@in_a_loop
async def test_whoever_else_asks_is_not_disturbed(server: Loopback) -> None:
    transport = AsyncHttpTransport(PATIENT)
    request = Request(method="GET", url=server.url("plain"))
    for turns in range(60):
        other = asyncio.create_task(transport.send(request))
        await given_up(transport, request, turns)
        assert (await other).body == b"hello"
    assert all(one.is_idle() for one in transport._pools[None]._pool.connections)
    await transport.aclose()
