"""Tests that wait: each in an event loop of its own."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec

WITHIN: Final = 60.0  # seconds that a test or a wait of one may take

P = ParamSpec("P")


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs the coroutine test in an event loop."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(WITHIN):
                await test(*args, **kwargs)

        asyncio.run(bounded())

    return run


async def until(ready: Callable[[], object]) -> None:
    """Lets the loop turn until ready."""
    while not ready():  # noqa: ASYNC110 - what is waited for sets no event, and the test is bounded
        await asyncio.sleep(0.001)
