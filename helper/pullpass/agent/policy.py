"""Who may ask the agent for what: by uid and gid as the kernel tells them, and by nothing else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pullpass.agent.peer import Peer
from pullpass.config.model import Config, Registry
from pullpass.errors import CallerDenied
from pullpass.unix import Callers, callers_of, uid_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What callers may have.

    Attributes:
        allow: who may ask at all, besides the shim.
        shim: the uid which may state facts about pods.
        registries: who may ask for a registry, where not all may that are allowed.
    """

    allow: Callers
    shim: int | None
    registries: Mapping[str, Callers]

    def check(self, peer: Peer, registry: Registry, facts: Mapping[str, str]) -> None:
        """Holds that peer may ask for registry and state these facts about a pod.

        Raises:
            CallerDenied: if not.
        """
        self.check_caller(peer)
        if peer not in self.registries.get(registry.address, self._all):
            raise CallerDenied(
                f"registry {registry.address}: uid {peer.uid} may not have its credentials: add the"
                f" user to {registry.key}.callers"
            )
        if facts and peer.uid != self.shim:
            raise CallerDenied(
                f"registry {registry.address}: uid {peer.uid} may not state facts about pods: only"
                " agent.shim may"
            )

    def check_caller(self, peer: Peer) -> None:
        """Holds that peer may ask anything. Raises: CallerDenied."""
        if peer not in self._all:
            raise CallerDenied(
                f"uid {peer.uid} may not ask this agent: add the user or a group to agent.allow"
            )

    @property
    def _all(self) -> Callers:
        shim = () if self.shim is None else (self.shim,)
        return Callers(uids=self.allow.uids.union(shim), gids=self.allow.gids)

    @property
    def others(self) -> Callers:
        """Returns whom the socket must be open to besides root and this process's user."""
        return Callers(uids=self._all.uids - {0, os.geteuid()}, gids=self.allow.gids)


def policy_of(config: Config) -> Policy:
    """Returns the policy that config writes down, its names looked up on this host.

    Raises:
        ConfigError: for a name that this host does not know.
    """
    agent = config.agent
    allow = callers_of(agent.allow) if agent.allow else Callers(uids=frozenset({0, os.geteuid()}))
    return Policy(
        allow=allow,
        shim=uid_of(agent.shim) if agent.shim else None,
        registries={
            address: callers_of(registry.callers)
            for address, registry in config.registries.items()
            if registry.callers
        },
    )
