"""PullImage: the one method that the shim reads."""

import asyncio
from dataclasses import dataclass
from typing import Final, NoReturn

from grpc import StatusCode, aio

from pullpass.agent.granted import Granted
from pullpass.agent.journal import Journal
from pullpass.config.model import Config
from pullpass.errors import CredentialNotFound, ExchangeUnavailable, PullpassError
from pullpass_plugin.cri.auth import (
    UNAVAILABLE,
    Pull,
    is_auth_failure,
    pull_of,
    with_credential,
)
from pullpass_plugin.cri.counters import Counters, Outcome
from pullpass_plugin.cri.forwarding import Answer, Context, Runtime, forward, give, refuse
from pullpass_plugin.cri.source import CredentialSource

WORKED_FOR: Final = 2.0  # seconds after which a refused credential was good at first


class _Without(Exception):
    """The pull goes on as it came."""


@dataclass(frozen=True, slots=True)
class Puller:
    """Answers PullImage."""

    config: Config
    source: CredentialSource
    runtime: Runtime
    counters: Counters
    journal: Journal

    async def pull(self, method: str, raw: bytes, context: Context) -> bytes:
        """Answers as the runtime does, asked with a credential where the pull is ours."""
        if self.counters.draining:
            self.counters.pulls[Outcome.DRAINING] += 1
            await _unavailable("pullpass-cri is about to end: try again", context)
        with self.counters.one_running():
            pull = pull_of(self.config, raw)
            if pull is None:
                self.counters.pulls[Outcome.PASSED] += 1
                return await forward(self.runtime, method, raw, context)
            try:
                answer = await self._authorised(method, pull, context)
            except _Without:
                return await forward(self.runtime, method, raw, context)
            except aio.AioRpcError as error:
                self.counters.pulls[Outcome.AUTHORISED] += 1
                await refuse(error, context)
            self.counters.pulls[Outcome.AUTHORISED] += 1
            return await give(answer, context)

    async def _authorised(self, method: str, pull: Pull, context: Context) -> Answer:
        """Asks the runtime with a credential, and once more with a fresh one where that helps."""
        granted = await self._credential(pull, context, fresh=False)
        began = asyncio.get_running_loop().time()
        try:
            return await self.runtime.ask(
                method, with_credential(pull, granted.credential), context
            )
        except aio.AioRpcError as error:
            lasted = asyncio.get_running_loop().time() - began
            if not self._is_stale(pull, granted, error, lasted):
                raise
        self.counters.retries += 1
        granted = await self._credential(pull, context, fresh=True)
        return await self.runtime.ask(method, with_credential(pull, granted.credential), context)

    def _is_stale(
        self, pull: Pull, granted: Granted, error: aio.AioRpcError, lasted: float
    ) -> bool:
        """Tells whether a fresh credential may do better.

        One that was made for this pull and refused at once was good: the registry means it. One
        that had time to fetch layers ended on the way.
        """
        if not is_auth_failure(pull, error.code(), error.details() or ""):
            return False
        self.counters.refused += 1
        stale = granted.reused or lasted >= WORKED_FOR
        self.journal.tell("credential-refused", **_names(pull), reused=granted.reused, again=stale)
        return stale

    async def _credential(self, pull: Pull, context: Context, *, fresh: bool) -> Granted:
        """Returns a credential, or ends the call as the registry's settings say."""
        try:
            granted = await self._in_time(pull, fresh=fresh)
        except CredentialNotFound as error:  # the agent's settings are newer than ours
            self.counters.pulls[Outcome.PASSED] += 1
            raise _Without from error
        except PullpassError as error:
            way = Outcome.WITHOUT if pull.options.fail_open else Outcome.UNAVAILABLE
            self.counters.pulls[way] += 1
            self.journal.tell("no-credential", **_names(pull), outcome=way, error=str(error))
            if way is Outcome.WITHOUT:
                raise _Without from error
            await _unavailable(f"no credential for {pull.reference}: {error}", context)
        self.journal.tell(
            "credential", **_names(pull), **pull.facts, reused=granted.reused, fresh=fresh
        )
        return granted

    async def _in_time(self, pull: Pull, *, fresh: bool) -> Granted:
        limit = self.config.cri.exchange_timeout
        where = pull.reference
        try:
            async with asyncio.timeout(limit):
                return await self.source.credential(
                    where.registry, where.repository, pull.facts, fresh=fresh
                )
        except TimeoutError as error:
            raise ExchangeUnavailable(
                f"registry {where.registry}: no credential within {limit}s: is the exchange"
                " reachable from this node?"
            ) from error


async def _unavailable(message: str, context: Context) -> NoReturn:
    # UNKNOWN is the one status whose text the kubelet shows as it is.
    await context.abort(StatusCode.UNKNOWN, f"{UNAVAILABLE}{message}")


def _names(pull: Pull) -> dict[str, str]:
    return {"registry": pull.reference.registry, "repository": pull.reference.repository}
