"""Resolves for others: what they share, and what they never share."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pullpass.agent.counters import Counters
from pullpass.agent.flights import Flights
from pullpass.agent.peer import Peer
from pullpass.agent.policy import Policy
from pullpass.agent.question import Question
from pullpass.agent.reuse import Grant, Kept, reusable_until
from pullpass.agent.users import Users
from pullpass.config.model import Config, CredentialEntry, Registry, Stored
from pullpass.errors import ExchangeUnavailable, MintDenied, TransportError
from pullpass.http import AsyncTransport, run_async
from pullpass.identity.edge import LoopEdge
from pullpass.identity.effects import Steps
from pullpass.identity.token import SubjectToken
from pullpass.issuer.admission import Local
from pullpass.issuer.mint import Minter
from pullpass.resolve.choose import Query, find
from pullpass.resolve.flow import Plan, foresee, identify, of_caller, plan, trade
from pullpass.resolve.stored import fetch_stored

DEADLINE: Final = 20.0  # seconds for an exchange; clients wait 25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """All that decides an answer. Who differs in any of it shares nothing."""

    uid: int
    pod: frozenset[tuple[str, str]]
    entry: str
    registry: str
    provider: str
    exchange: str
    parameters: frozenset[tuple[str, str]]
    identity: str = field(repr=False)


class Resolver:
    """Resolves by one configuration. What it keeps lives as long as it does."""

    def __init__(
        self,
        *,
        config: Config,
        policy: Policy,
        minter: Minter,
        transport: AsyncTransport,
        counters: Counters,
        now: Callable[[], float] = time.time,
        deadline: float = DEADLINE,
        users: Users | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._config = config
        self._policy = policy
        self._minter = minter
        self._edge = LoopEdge(transport)
        self._environ = environ
        self._counters = counters
        self._now = now
        self._deadline = deadline
        self._plans: dict[str, Plan] = {}
        self._flights: Flights[_Key, Grant] = Flights()
        self._kept: Kept[Grant] = Kept(now=now)
        self._users = users or Users()

    async def resolve(self, question: Question, peer: Peer) -> Grant:
        """Returns a credential for question, asked by peer.

        Raises:
            CallerDenied: if the policy does not let peer have it.
            PullpassError: as ``resolve.flow.resolve``.
        """
        registry, entry = find(self._config, question.query)
        self._policy.check(peer, registry, question.pod)
        if isinstance(entry.source, Stored):
            return await self._stored(registry, entry, entry.source)
        chosen = self._plan(entry, question.query)
        facts = {**await self._users.facts(peer.uid), **question.pod}
        minter = replace(self._minter, asking=Local(uid=peer.uid, gids=peer.gids))
        key = await self._key(minter, chosen, peer, question.pod, facts)
        if question.fresh:
            self._kept.drop(key)
        elif kept := self._kept.get(key):
            self._counters.reused += 1
            return replace(kept, reused=True)
        self._counters.shared += self._flights.joins(key)
        return await self._flights.share(key, lambda: self._exchange(key, minter, chosen, facts))

    def declines(self, question: Question, peer: Peer) -> bool:
        """Tells whether peer has to ask by itself, since what it gets depends on who asks.

        The shim asks for pods, which have no process to ask with: this one then asks for them.
        """
        _, entry = find(self._config, question.query)
        return of_caller(entry, self._environ) and peer.uid != self._policy.shim

    async def _stored(self, registry: Registry, entry: CredentialEntry, source: Stored) -> Grant:
        """Returns a credential of this process: read anew, and named in no log."""
        steps = fetch_stored(registry, source, self._environ)
        return Grant(
            credential=await run_async(steps, self._edge),
            entry=entry.key,
            minted_at=self._now(),
            token_id="",
            fingerprint="",
        )

    def _plan(self, entry: CredentialEntry, query: Query) -> Plan:
        """Returns the plan of entry, which answers query; reading a spec takes a millisecond."""
        if entry.key not in self._plans:
            self._plans[entry.key] = plan(self._config, query)
        return self._plans[entry.key]

    async def _key(
        self,
        minter: Minter,
        chosen: Plan,
        peer: Peer,
        pod: Mapping[str, str],
        facts: Mapping[str, str],
    ) -> _Key:
        try:
            identity = foresee(minter, chosen, facts)
        except MintDenied:
            # Raises too, and leaves its line in the audit.
            await run_async(self._identify(minter, chosen, facts), self._edge)
            raise
        return _Key(
            uid=peer.uid,
            pod=frozenset(pod.items()),
            entry=chosen.entry.key,
            registry=chosen.registry.address,
            provider=chosen.registry.provider,
            exchange=chosen.registry.exchange,
            parameters=frozenset(chosen.registry.parameters.items()),
            identity=identity,
        )

    def _identify(
        self, minter: Minter, chosen: Plan, facts: Mapping[str, str]
    ) -> Steps[SubjectToken]:
        return identify(minter, chosen, facts, self._environ, self._now)

    async def _exchange(
        self, key: _Key, minter: Minter, chosen: Plan, facts: Mapping[str, str]
    ) -> Grant:
        """Exchanges in time, and where no answer came at all once more with a new identity."""
        try:
            async with asyncio.timeout(self._deadline):
                try:
                    return await self._traded(key, minter, chosen, facts)
                except ExchangeUnavailable as error:
                    if not isinstance(error.__cause__, TransportError):
                        raise
                    return await self._traded(key, minter, chosen, facts)
        except TimeoutError as error:
            raise ExchangeUnavailable(
                f"registry {chosen.registry.address}: its identity or its exchange has not answered"
                f" after {self._deadline:.0f}s: try again"
            ) from error

    async def _traded(
        self, key: _Key, minter: Minter, chosen: Plan, facts: Mapping[str, str]
    ) -> Grant:
        self._counters.exchanges += 1
        began = int(self._now())
        identity = await run_async(self._identify(minter, chosen, facts), self._edge)
        credential = await run_async(trade(chosen, identity, self._now), self._edge)
        grant = Grant(
            credential=credential,
            entry=chosen.entry.key,
            minted_at=began,
            token_id=identity.said.text("jti"),
            fingerprint=identity.token.fingerprint(),
            until=reusable_until(credential, began, chosen.entry.reuse),
        )
        self._kept.put(key, grant)
        return grant
