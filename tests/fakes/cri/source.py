"""Whoever gives credentials, by a script."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from pullpass.agent.granted import Granted
from pullpass.credential import Credential
from pullpass.errors import PullpassError
from pullpass.secret import Secret


def granted(password: str, *, reused: bool = False, username: str = "puller") -> Granted:
    """Returns a credential as the agent gives it."""
    credential = Credential(username=username, secret=Secret(password), expires_at=None)
    return Granted(credential=credential, reused=reused, minted_at=1_800_000_000.0)


@dataclass(slots=True, eq=False)
class Source:
    """Gives one answer of its script after the other, the last one ever after.

    Attributes:
        asked: what it was asked for.
        gate: answers wait until it is set.
    """

    script: list[Granted | PullpassError]
    asked: list[tuple[str, str, Mapping[str, str], bool]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def credential(
        self, registry: str, repository: str, facts: Mapping[str, str], *, fresh: bool
    ) -> Granted:
        """As CredentialSource."""
        self.asked.append((registry, repository, facts, fresh))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        await self.gate.wait()
        if isinstance(answer, PullpassError):
            raise answer
        return answer
