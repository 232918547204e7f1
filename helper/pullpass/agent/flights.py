"""One piece of work for all who want the same at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class _Flight(Generic[V]):
    task: asyncio.Task[V]
    waiting: int = 0


class Flights(Generic[K, V]):
    """Work in progress, by its key. No one who waits leads: whoever leaves disturbs no other."""

    def __init__(self) -> None:
        self._running: dict[K, _Flight[V]] = {}

    async def share(self, key: K, start: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Returns what the work of key gives, started now unless it runs already.

        Raises what the work raises, to all who wait. The last who leaves ends the work.
        """
        flight = self._running.get(key)
        if flight is None:
            flight = self._running[key] = _Flight(asyncio.create_task(start()))
            flight.task.add_done_callback(lambda _: self._forget(key, flight))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._forget(key, flight)  # nobody may board what is being stopped
                flight.task.cancel()

    def joins(self, key: K) -> bool:
        """Tells whether the work of key runs already."""
        return key in self._running

    def _forget(self, key: K, flight: _Flight[V]) -> None:
        if self._running.get(key) is flight:
            del self._running[key]
