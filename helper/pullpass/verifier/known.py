"""The keys of trusted issuers as they are now: fetched once for all who wait."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable

from pullpass.errors import TransportError
from pullpass.http import AsyncTransport, run_async
from pullpass.verifier.cache import KeyCache
from pullpass.verifier.discovery import KeySet, fetch_keys

Failed = Callable[[str, TransportError], None]


class KnownKeys:
    """Keys of issuers that the configuration names, and of no others.

    failed is told of each issuer whose keys could not be had.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        failed: Failed,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._failed = failed
        self._monotonic = monotonic
        self._cache = KeyCache()
        self._fetching: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, issuer: str, kid: str) -> KeySet:
        """Returns issuer's keys, looked for anew if kid is not among them.

        Raises:
            TransportError: if there are none.
        """
        await self._refresh(issuer, kid)
        keys = self._cache.keys(issuer, self._monotonic())
        if not keys:
            raise TransportError(f"issuer {issuer}: its keys cannot be had now")
        return keys

    async def _refresh(self, issuer: str, kid: str) -> None:
        """Fetches the issuer's keys if they are wanted: one request at a time.

        Others wait for it only if their key is not at hand, so that a slow issuer stops nobody.
        """
        fetching = self._fetching[issuer]
        if fetching.locked() and kid in self._cache.keys(issuer, self._monotonic()):
            return
        async with fetching:
            if not self._cache.wants_fetch(issuer, kid, self._monotonic()):
                return
            try:
                keys = await run_async(fetch_keys(issuer), self._transport)
            except TransportError as error:
                self._cache.failed(issuer, self._monotonic())
                self._failed(issuer, error)
            else:
                self._cache.fetched(issuer, keys, self._monotonic())
