"""Mints for callers from other hosts: who they are, whether the role lets them, how often."""

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pullpass.config.callers import STATED
from pullpass.config.issuing import Issuer, Role, Selector
from pullpass.errors import (
    IdentityError,
    InvalidToken,
    KeyStoreError,
    MintDenied,
    PullpassError,
    TokenRefused,
    TransportError,
)
from pullpass.http import AsyncTransport, run_async
from pullpass.issuer.admission import Proven, TooOften
from pullpass.issuer.caller import Callers, Proof
from pullpass.issuer.mint import Minted, Minter
from pullpass.issuer.places import Place, mint_place, mint_url
from pullpass.issuer.role import MintRequest
from pullpass.secret import Secret
from pullpass.verifier.known import KnownKeys

MAX_BODY: Final = 16 * 1024  # bytes
MAX_CALLERS: Final = 10_000  # of whom it is known how often they came
MAX_FACT: Final = 255  # characters
REFUSALS_PER_MINUTE: Final = 600  # that are told to the audit, of each caller and of all unproven
_MEMBERS: Final = frozenset({"audiences", "subject", "claims", "ttl", "facts"})
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
        self._refusals = Limit(REFUSALS_PER_MINUTE, monotonic)
        self._counters = {
            mint_place(issuer, role.name): Counter(issuer, role)
            for issuer in issuers
            for role in issuer.roles.values()
            if any(isinstance(one, Selector) for one in role.mint)
        }

    def find(self, place: Place) -> Counter | None:
        """Returns what is asked for there, None where nothing can be."""
        return self._counters.get(place)

    async def mint(self, counter: Counter, authorization: str, body: bytes) -> Said:
        """Returns a status and a document: the token, or why there is none."""
        try:
            minted = await self._minted(counter, authorization, body)
        except PullpassError as error:
            return _refusal(error)
        lives = minted.claims["exp"] - minted.claims["iat"]
        return 200, {"jwt": minted.token.reveal(), "expires_in": lives}

    async def _minted(self, counter: Counter, authorization: str, body: bytes) -> Minted:
        issuer, role = counter.issuer, counter.role
        proven: Proven | None = None
        try:
            proof = await self._proof(counter, authorization)
            proven = proof.proven
            self._check_rate(issuer, proven)
            self._callers[issuer.name].take(proof)
            request, stated = _request(body, proven)
        except PullpassError as error:
            self._refuse(counter, error, proven)
            raise
        minter = replace(self._minter, asking=replace(proven, stated=stated))
        return await run_async(minter.mint(issuer.name, role.name, request), self._transport)

    async def _proof(self, counter: Counter, authorization: str) -> Proof:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenRefused("no Authorization: Bearer is shown: show an assertion or a token")
        endpoint = mint_url(counter.issuer.issuer, counter.role.name)
        return await self._callers[counter.issuer.name].prove(Secret(token.strip()), endpoint)

    def _check_rate(self, issuer: Issuer, proven: Proven) -> None:
        if not self._limits[issuer.name].takes(proven.name):
            raise TooOften(
                f"{proven.name} has had {issuer.mints_per_minute} tokens in a minute: wait",
                constraint="mints_per_minute",
            )

    def _refuse(self, counter: Counter, error: PullpassError, proven: Proven | None) -> None:
        """Tells the audit, whose disk nobody fills who is refused over and over."""
        if self._refusals.takes(proven.name if proven else ""):
            self._minter.refuse(counter.issuer.name, counter.role.name, error, proven)


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


def _request(body: bytes, proven: Proven) -> tuple[MintRequest, Mapping[str, str]]:
    """Returns what body asks for, and what it states. Raises: MintDenied if it says no such."""
    asked = _read(body)
    stated = asked.get("facts", {})
    request = MintRequest(
        audiences=tuple(asked.get("audiences", [])),
        subject=asked.get("subject", ""),
        claims=asked.get("claims", {}),
        ttl=asked.get("ttl"),
        facts={**stated, **proven.facts},
    )
    return request, stated


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not found.keys() <= _MEMBERS or not _is_asked(found):
        raise MintDenied(
            'the body takes {"audiences": […]}, and subject, claims, ttl and facts where the role'
            " lets them",
            constraint="body",
        )
    return found


def _is_asked(found: Mapping[str, Any]) -> bool:
    audiences, facts, ttl = found.get("audiences", []), found.get("facts", {}), found.get("ttl")
    return (
        isinstance(audiences, list)
        and all(isinstance(one, str) for one in audiences)
        and isinstance(facts, dict)
        and all(_is_fact(name, value) for name, value in facts.items())
        and isinstance(found.get("claims", {}), dict)
        and isinstance(found.get("subject", ""), str)
        and (ttl is None or type(ttl) is int)
    )


def _is_fact(name: str, value: object) -> bool:
    """Tells whether a value stays what it is in a subject that separates it by ``:`` or ``/``."""
    if name not in STATED or not isinstance(value, str) or len(value) > MAX_FACT:
        return False
    return "/" not in value and (":" not in value or name == "registry")  # which may have a port


def _refusal(error: PullpassError) -> Said:
    """Returns error as RFC 6749 §5.2 has it; what is wrong on this host is for its log alone."""
    match error:
        case TokenRefused() | InvalidToken():
            return _said(401, "invalid_client", str(error))
        case MintDenied(constraint="body"):
            return _said(400, "invalid_request", str(error))
        case TooOften():
            return _said(429, "temporarily_unavailable", str(error))
        case MintDenied():
            return _said(403, "unauthorized_client", str(error))
    logging.getLogger(__name__).error("nothing minted: %s", error)
    away = isinstance(error, TransportError | KeyStoreError | IdentityError)
    status, code = (503, "temporarily_unavailable") if away else (500, "server_error")
    return _said(status, code, "nothing can be minted now: the issuer's log says why")


def _said(status: int, code: str, sentence: str) -> Said:
    return status, {"error": code, "error_description": sentence}


def _without_keys(issuer: str, error: TransportError) -> None:
    logging.getLogger(__name__).error("keys of %s: %s", issuer, error)
