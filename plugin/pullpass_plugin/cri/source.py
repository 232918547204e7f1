"""Who gives the credential of a pull."""

from collections.abc import Mapping
from typing import Protocol

from pullpass.agent.client import AgentClient, Granted


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
    """Asks the agent, which holds the keys and lets this process's user state facts of pods."""

    def __init__(self, client: AgentClient) -> None:
        self._client = client

    async def credential(
        self, registry: str, repository: str, facts: Mapping[str, str], *, fresh: bool
    ) -> Granted:
        """As CredentialSource."""
        return await self._client.resolve(registry, repository, facts=facts, fresh=fresh)
