"""The documents of every issuer, ready to be handed out, and the look that keeps them so."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from pullpass.config.issuing import Issuer, KeySettings
from pullpass.config.model import Config
from pullpass.errors import PullpassError
from pullpass.http import AsyncTransport, run_async
from pullpass.issuer.documents import Document, discovery_document, jwks_document
from pullpass.issuer.places import Place, discovery_places, jwks_place
from pullpass.keys.source import check_frozen
from pullpass.keys.transit import KeySource, TransitKey

LOOK: Final = 1.0  # seconds that a JWKS is handed out without a look at its key


@dataclass(slots=True, kw_only=True)
class Shown:
    """The JWKS of one issuer.

    Attributes:
        looked: when its key was looked at last with success, by the shelf's clock.
        key: what was seen then.
        failures: looks without success, ever.
    """

    issuer: Issuer
    settings: KeySettings
    jwks: Document | None = None
    key: TransitKey | None = None
    looked: float = 0.0
    tried: float = float("-inf")
    failures: int = 0
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Shelf:
    """What an issuer server publishes, by host and path."""

    def __init__(
        self,
        config: Config,
        keys: KeySource,
        transport: AsyncTransport,
        *,
        look: float = LOOK,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._transport = transport
        self._look = look
        self._monotonic = monotonic
        issuers = config.issuers.values()
        self.shown = [Shown(issuer=one, settings=config.keys[one.signing_key]) for one in issuers]
        self._jwks = {jwks_place(one.issuer): one for one in self.shown}
        self._discovery = dict(_discovery(issuers))

    async def find(self, place: Place) -> Document | Shown | None:
        """Returns the document there, whose JWKS cannot be had, or None where nothing is."""
        shown = self._jwks.get(place)
        if shown is None:
            return self._discovery.get(place)
        if self._monotonic() - shown.tried >= self._look:
            await self.look_at(shown)
        return shown.jwks or shown

    async def look_at(self, shown: Shown) -> None:
        """Looks at the key of one issuer, which carries it on. One look at a time."""
        if shown.looking.locked() and shown.jwks:
            return  # others are handed what there is meanwhile
        async with shown.looking:
            now = self._monotonic()
            if now - shown.tried < self._look:
                return
            shown.tried = now
            try:
                key = await run_async(self._keys.load(shown.issuer.signing_key), self._transport)
                check_frozen(key, shown.issuer.name, shown.issuer.issuer)
            except PullpassError as error:
                self._failed(shown, now, error)
            else:
                self._succeeded(shown, now, key)

    def _succeeded(self, shown: Shown, now: float, key: TransitKey) -> None:
        shown.looked = now
        if key is not shown.key:
            shown.key, shown.jwks = key, jwks_document(shown.issuer, key, shown.settings)

    def _failed(self, shown: Shown, now: float, error: PullpassError) -> None:
        """Goes on with what was seen for as long as any cache may, and then with nothing."""
        shown.failures += 1
        if now - shown.looked >= shown.issuer.jwks_max_age:
            shown.jwks = shown.key = None
        logging.getLogger(__name__).error("%s: no JWKS: %s", shown.issuer.issuer, error)


def _discovery(issuers: Iterable[Issuer]) -> Iterable[tuple[Place, Document]]:
    for issuer in issuers:
        document = discovery_document(issuer)
        yield from ((place, document) for place in discovery_places(issuer))
