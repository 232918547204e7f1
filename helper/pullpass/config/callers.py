"""Who may ask for something, and what they may say of others: values of the settings."""

from dataclasses import dataclass
from typing import Final

# What a caller from another host may at most state of whoever it asks for.
STATED: Final = ("unix.user", "k8s.namespace", "k8s.pod", "k8s.uid", "registry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """``{ uid = 0 }``, ``{ user = "alice" }`` or ``{ group = "docker" }``: a process of this host.

    Attributes:
        key: the dotted key, for errors.
    """

    uid: int | None = None
    user: str = ""
    group: str = ""
    key: str
