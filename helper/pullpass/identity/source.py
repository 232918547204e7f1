"""What every source of identities is. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pullpass.config.model import Identity
from pullpass.identity.effects import Steps
from pullpass.identity.token import SubjectToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted of a source, and where.

    Attributes:
        audience: whom the token is to be for.
        parameters: what the configuration tells the source.
        environ: the environment of whoever asks.
        now: Unix seconds.
        facts: what is known of whoever asks, by the names of variables.
        show: returns another identity's token for an audience.
    """

    audience: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    now: Callable[[], float]
    facts: Mapping[str, str] = field(default_factory=dict)
    show: Callable[[Identity, str], Steps[SubjectToken]]


# Returns the token, or None for «not this platform». «This platform, but broken» is an error.
Fetch = Callable[[Wanted], Steps[str | None]]


def _always(_: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A kind of platform that gives identities.

    Attributes:
        fetch: asks for a token.
        elsewhere: what to say where this is not the platform; empty where it always is.
        of_caller: whether, told these parameters, it gives by who asks: by environment, user or
            process. Then only that process itself can ask.
    """

    fetch: Fetch
    elsewhere: str = ""
    of_caller: Callable[[Mapping[str, Any]], bool] = _always
