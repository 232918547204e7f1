"""Resolves in the shim's own process, with keys that it can read."""

import os
from collections.abc import Mapping
from typing import Final

from pullpass.agent.counters import Counters
from pullpass.agent.granted import Granted
from pullpass.agent.peer import Peer
from pullpass.agent.policy import Policy
from pullpass.agent.question import Question
from pullpass.agent.resolver import Resolver
from pullpass.config.model import Config
from pullpass.http import AsyncTransport
from pullpass.issuer.mint import Minter
from pullpass.resolve.choose import Query
from pullpass.unix import Callers

TRY_TIMEOUT: Final = 4.0  # seconds for one request: two tries fit into the shim's ten


class InProcess:
    """What the agent does, for this process alone and without a socket between."""

    def __init__(
        self,
        config: Config,
        minter: Minter,
        transport: AsyncTransport,
        counters: Counters | None = None,
    ) -> None:
        own, gids = os.geteuid(), frozenset({os.getegid(), *os.getgroups()})
        self._self = Peer(uid=own, gids=gids, pid=os.getpid())
        self._resolver = Resolver(
            config=config,
            policy=Policy(allow=Callers(uids=frozenset({own})), shim=own, registries={}),
            minter=minter,
            transport=transport,
            counters=counters or Counters(),
        )

    async def credential(
        self, registry: str, repository: str, facts: Mapping[str, str], *, fresh: bool
    ) -> Granted:
        """As CredentialSource. Raises: PullpassError, as the agent's resolver."""
        query = Query(registry=registry, repository=repository)
        question = Question(query=query, pod=facts, fresh=fresh)
        grant = await self._resolver.resolve(question, self._self)
        return Granted(credential=grant.credential, reused=grant.reused, minted_at=grant.minted_at)
