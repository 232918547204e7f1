"""Who gives the credential of a pull."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from pullpass.agent.client import AgentClient
from pullpass.agent.granted import Granted
from pullpass.agent.reuse import Kept


class CredentialSource(Protocol):
    """Gives the credential for one repository."""

    async def credential(
        self, registry: str, repository: str, facts: Mapping[str, str], *, fresh: bool
    ) -> Granted:
        """Returns a credential, and whether an earlier pull was given it too.

        Args:
            registry: ``host[:port]``.
            repository: the path there.
            facts: what the kubelet says of the pod.
            fresh: whether a credential that was given before will not do.

        Raises:
            CredentialNotFound: if no entry speaks of what is pulled.
            PullpassError: if none can be had.
        """


class FromAgent:
    """Asks the agent, which holds the keys and lets this process's user state facts of pods.

    What the agent would give again is given again here, without waking it up, while it is the same
    agent with the same settings. One that was killed leaves a socket that tells nothing of it.
    """

    def __init__(self, client: AgentClient, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._now = now
        self._generation: tuple[int, ...] | None = None
        self._kept: Kept[Granted] = Kept(now=now)

    async def credential(
        self, registry: str, repository: str, facts: Mapping[str, str], *, fresh: bool
    ) -> Granted:
        """As CredentialSource."""
        kept, key = self._kept_now(fresh=fresh), (registry, repository, frozenset(facts.items()))
        if found := kept.get(key):
            return replace(found, reused=True)
        granted = await self._client.resolve(registry, repository, facts=facts, fresh=fresh)
        kept.put(key, granted)
        return granted

    def _kept_now(self, *, fresh: bool) -> Kept[Granted]:
        """Returns what was kept: nothing where the agent changed, even while it was asked.

        Nor where a fresh one is wanted: what was refused may have been given for others too.
        """
        generation = self._client.generation()
        if fresh or generation is None or generation != self._generation:
            self._generation, self._kept = generation, Kept(now=self._now)
        return self._kept
