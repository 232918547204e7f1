"""What is known of a caller's user, remembered for a minute: a directory may have to be asked."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pullpass.errors import IdentityError
from pullpass.identity.facts import user_facts

KEEP: Final = 60.0  # seconds
WITHIN: Final = 4.0  # seconds; with the exchange's twenty it stays within a client's 25


@dataclass(slots=True, kw_only=True)
class Users:
    """Facts by uid.

    Attributes:
        look_up: gives the facts of a uid; it may block.
        now: a clock that never goes back, in seconds.
        within: seconds that a look-up may take.
    """

    look_up: Callable[[int], Mapping[str, str]] = user_facts
    now: Callable[[], float] = time.monotonic
    within: float = WITHIN
    _known: dict[int, tuple[Mapping[str, str], float]] = field(default_factory=dict)

    async def facts(self, uid: int) -> Mapping[str, str]:
        """Returns the facts of uid, at most a minute old. Raises: IdentityError if none come."""
        found = self._known.get(uid)
        if found is None or found[1] <= self.now():
            facts = await self._look_up(uid)
            self._known = {one: kept for one, kept in self._known.items() if kept[1] > self.now()}
            found = self._known[uid] = facts, self.now() + KEEP
        return found[0]

    async def _look_up(self, uid: int) -> Mapping[str, str]:
        try:
            async with asyncio.timeout(self.within):
                return await asyncio.to_thread(self.look_up, uid)
        except TimeoutError as error:
            raise IdentityError(
                f"uid {uid}: this host's directory of users does not say who that is: look at nss"
            ) from error
