"""Mints for callers from other hosts: who they are, whether the role lets them, how often."""

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pullpass.config.issuing import Issuer, Role
from pullpass.errors import (
    IdentityError,
    InvalidToken,
    KeyStoreError,
    MintDenied,
    PullpassError,
    TokenRefused,
    TransportError,
)
from pullpass.glob import matches
from pullpass.http import AsyncTransport, run_async
from pullpass.issuer.caller import Callers, Proven
from pullpass.issuer.documents import Place, mint_place
from pullpass.issuer.mint import Minter
from pullpass.issuer.role import MintRequest
from pullpass.secret import Secret
from pullpass.verifier.known import KnownKeys

MAX_BODY: Final = 16 * 1024  # bytes
MAX_CALLERS: Final = 10_000  # of whom it is known how often they came
_MEMBERS: Final = frozenset({"audiences", "subject", "claims", "ttl"})
_MINUTE: Final = 60.0  # seconds

Said = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Counter:
    """One issuer's role that callers from other hosts may ask for."""

    issuer: Issuer
    role: Role


class Outside:
    """What an issuer server answers to POST."""

    def __init__(
        self,
        minter: Minter,
        transport: AsyncTransport,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._minter = minter
        self._transport = transport
        known = KnownKeys(transport, _without_keys, monotonic)
        issuers = minter.issuers.values()
        self._callers = {one.name: Callers(one, known, now) for one in issuers}
        self._limits = {one.name: Limit(one.mints_per_minute, monotonic) for one in issuers}
        self._counters = {
            mint_place(issuer, role.name): Counter(issuer, role)
            for issuer in issuers
            for role in issuer.roles.values()
            if role.mint
        }

    def find(self, place: Place) -> Counter | None:
        """Returns what is asked for there, None where nothing can be."""
        return self._counters.get(place)

    async def mint(self, counter: Counter, authorization: str, body: bytes) -> Said:
        """Returns a status and a document: the token, or why there is none."""
        issuer, role = counter.issuer, counter.role
        try:
            proven = await self._proven(issuer, authorization)
            self._check(issuer, role, proven)
            request = _request(body, proven)
        except PullpassError as error:
            self._minter.refuse(issuer.name, role.name, error)
            return _refusal(error)
        try:
            flow = self._minter.mint(issuer.name, role.name, request)
            minted = await run_async(flow, self._transport)
        except PullpassError as error:
            return _refusal(error)
        lives = minted.claims["exp"] - minted.claims["iat"]
        return 200, {"jwt": minted.token.reveal(), "expires_in": lives}

    async def _proven(self, issuer: Issuer, authorization: str) -> Proven:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenRefused("no Authorization: Bearer is shown: show an assertion or a token")
        return await self._callers[issuer.name].prove(Secret(token.strip()))

    def _check(self, issuer: Issuer, role: Role, proven: Proven) -> None:
        if not any(
            (one.node and proven.node and matches(one.node, proven.node))
            or (one.caller and one.caller == proven.caller)
            for one in role.mint
        ):
            raise MintDenied(
                f"role {role.name}: {proven.name} may not mint: add it to its mint",
                constraint="mint",
            )
        if not self._limits[issuer.name].takes(proven.name):
            raise _TooOften(
                f"{proven.name} has had {issuer.mints_per_minute} tokens in a minute: wait",
                constraint="mints_per_minute",
            )


class _TooOften(MintDenied):
    """A caller comes more often than the issuer lets it."""


class Limit:
    """Lets each caller have so many a minute, spread or at once, and knows so many callers."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def takes(self, name: str) -> bool:
        """Tells whether name may have one more, and counts it."""
        now = self._monotonic()
        left, since = self._left.pop(name, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - since) * self._per_minute / _MINUTE)
        self._left[name] = (max(0.0, left - 1) if left >= 1 else left, now)
        if len(self._left) > MAX_CALLERS:
            self._left.popitem(last=False)
        return left >= 1


def _request(body: bytes, proven: Proven) -> MintRequest:
    """Returns what body asks for. Raises: MintDenied if it is no such document."""
    wrong = MintDenied(
        'the body takes {"audiences": […]}, and subject, claims and ttl where the role lets them',
        constraint="body",
    )
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise wrong from None
    match found:
        case dict() if found.keys() <= _MEMBERS:
            audiences, claims = found.get("audiences", []), found.get("claims", {})
            subject, ttl = found.get("subject", ""), found.get("ttl")
        case _:
            raise wrong
    if not (
        isinstance(audiences, list)
        and all(isinstance(one, str) for one in audiences)
        and isinstance(claims, dict)
        and isinstance(subject, str)
        and (ttl is None or type(ttl) is int)
    ):
        raise wrong
    return MintRequest(
        audiences=tuple(audiences), subject=subject, claims=claims, ttl=ttl, facts=proven.facts
    )


def _refusal(error: PullpassError) -> Said:
    match error:
        case TokenRefused() | InvalidToken():
            return 401, {"error": str(error)}
        case MintDenied(constraint="body"):
            return 400, {"error": str(error)}
        case _TooOften():
            return 429, {"error": str(error)}
        case MintDenied():
            return 403, {"error": str(error)}
        case TransportError() | KeyStoreError() | IdentityError():
            logging.getLogger(__name__).error("nothing minted: %s", error)
            return 503, {"error": "nothing can be minted now: the issuer's log says why"}
    return 500, {"error": "nothing was minted: the issuer's log says why"}


def _without_keys(issuer: str, error: TransportError) -> None:
    logging.getLogger(__name__).error("keys of %s: %s", issuer, error)
