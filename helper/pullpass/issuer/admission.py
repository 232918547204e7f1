"""Who asks for a token, and whether a role lets them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pullpass.config.callers import Caller
from pullpass.config.issuing import Role, Selector
from pullpass.errors import MintDenied
from pullpass.glob import matches
from pullpass.unix import Callers


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A process of this host, as the kernel tells.

    Attributes:
        uid: None where this system has none.
    """

    uid: int | None = None
    gids: frozenset[int] = frozenset()

    def shown(self) -> Mapping[str, Any]:
        """Returns who it is, for the audit."""
        return {"kind": "local"} if self.uid is None else {"kind": "local", "uid": self.uid}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A caller from another host that proved who it is.

    Attributes:
        name: the same for the same caller, for limits.
        node: its name where it is an enrolled node.
        caller: the name of the trusted issuer's entry where it is not.
        issuer: that issuer.
        subject: the token's.
        facts: what may stand in a subject, proven as well.
        stated: what it says of whoever it asks for, by the names of variables.
    """

    name: str
    node: str = ""
    caller: str = ""
    issuer: str = ""
    subject: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    stated: Mapping[str, str] = field(default_factory=dict)

    def shown(self) -> Mapping[str, Any]:
        """Returns who it is, for the audit."""
        if self.node:
            return {"kind": "node", "node": self.node}
        return {"kind": "token", "iss": self.issuer, "sub": self.subject}


Asking = Local | Proven


class TooOften(MintDenied):
    """A caller comes more often than the issuer lets it."""


def admit(role: Role, asking: Asking, local: Callers) -> None:
    """Holds that a role lets whoever asks.

    Args:
        role: whose ``mint`` decides; without one every caller of this host may, and nobody else.
        asking: who.
        local: the callers of this host whom ``mint`` names.

    Raises:
        MintDenied: if it does not.
    """
    if isinstance(asking, Local):
        if role.mint and asking not in local:
            raise _denied(role, f"uid {asking.uid}")
        return
    fitting = [one for one in role.mint if not isinstance(one, Caller) and _fits(one, asking)]
    if not fitting:
        raise _denied(role, asking.name)
    if not any(asking.stated.keys() <= set(one.facts) for one in fitting):
        raise MintDenied(
            f"role {role.name}: {asking.name} is not believed {', '.join(sorted(asking.stated))}:"
            " state less, or add it to the selector's facts",
            constraint="facts",
        )


def _denied(role: Role, name: str) -> MintDenied:
    return MintDenied(
        f"role {role.name}: {name} may not mint: add it to its mint", constraint="mint"
    )


def _fits(selector: Selector, proven: Proven) -> bool:
    if selector.node:
        return bool(proven.node) and matches(selector.node, proven.node)
    return selector.caller == proven.caller
