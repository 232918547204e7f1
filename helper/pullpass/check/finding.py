"""What a check found at one link of the chain."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a link stands."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    NOT_TRIED = "not tried"


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
