"""What a check found at one link of the chain."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pullpass.errors import one_line


class Level(StrEnum):
    """How a link stands."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    NOT_TRIED = "not tried"


class Seen(NamedTuple):
    """What a look at a link saw, and what to do about it. An error is raised instead."""

    level: Level
    saw: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found at one link. Its texts are printable lines and never hold a secret.

    Attributes:
        registry: its address, empty where the whole configuration is meant.
        link: one word for the link of the chain.
        saw: what was seen; of an error also what to do.
        advice: what else to do, where anything is to be done.
        exit_status: of an error, as the error tree has it; 0 otherwise.
    """

    registry: str = ""
    link: str
    level: Level
    saw: str
    advice: str = ""
    exit_status: int = 0


def finding(registry: str, link: str, seen: Seen, exit_status: int = 0) -> Finding:
    """Returns what was seen at link, whoever's words it is in; exit_status is that of an error."""
    return Finding(
        registry=registry,
        link=link,
        level=seen.level,
        saw=one_line(seen.saw),
        advice=one_line(seen.advice),
        exit_status=exit_status,
    )
