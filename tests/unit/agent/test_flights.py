import asyncio

import pytest

from fakes.loop import in_a_loop, until
from pullpass.agent.flights import Flights
from pullpass.errors import ExchangeDenied


class Work:
    """Work that ends when it is let, and counts its beginnings and its ends."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.ended = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        mine = self.begun
        try:
            await self.ended.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return mine


@in_a_loop
async def test_what_is_the_same_and_overlaps_is_done_once() -> None:
    flights, work = Flights[str, int](), Work()
    waiting = [asyncio.create_task(flights.share("a", work)) for _ in range(50)]
    await until(lambda: work.begun == 1)
    work.ended.set()
    assert await asyncio.gather(*waiting) == [1] * 50
    assert await flights.share("a", work) == 2


@in_a_loop
async def test_what_differs_is_done_for_each() -> None:
    flights, work = Flights[str, int](), Work()
    work.ended.set()
    found = await asyncio.gather(flights.share("a", work), flights.share("b", work))
    assert sorted(found) == [1, 2]


@pytest.mark.parametrize("leaves", [0, 1, 2])
@in_a_loop
async def test_whoever_leaves_disturbs_no_other(leaves: int) -> None:
    flights, work = Flights[str, int](), Work()
    waiting = [asyncio.create_task(flights.share("a", work)) for _ in range(3)]
    await until(lambda: work.begun == 1)
    waiting.pop(leaves).cancel()
    await asyncio.sleep(0)
    work.ended.set()
    assert await asyncio.gather(*waiting) == [1, 1]
    assert work.cancelled == 0


@in_a_loop
async def test_the_last_who_leaves_ends_the_work_and_nobody_boards_it_then() -> None:
    flights, work = Flights[str, int](), Work()
    waiting = [asyncio.create_task(flights.share("a", work)) for _ in range(2)]
    await until(lambda: work.begun == 1)
    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
    assert not flights.joins("a")
    work.ended.set()
    assert await flights.share("a", work) == 2
    assert work.cancelled == 1


@in_a_loop
async def test_a_failure_is_told_to_all_and_kept_for_nobody() -> None:
    flights = Flights[str, int]()
    gate = asyncio.Event()

    async def fails() -> int:
        await gate.wait()
        raise ExchangeDenied("no")

    waiting = [asyncio.create_task(flights.share("a", fails)) for _ in range(3)]
    await until(lambda: flights.joins("a"))
    gate.set()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in told] == [ExchangeDenied] * 3
    assert not flights.joins("a")
