"""Users and groups of this host, by number: what the kernel tells of a process."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pullpass.config.callers import Caller
from pullpass.errors import ConfigError


class Process(Protocol):
    """A process of this host."""

    @property
    def uid(self) -> int | None:
        """Returns its user, None where this system has none."""

    @property
    def gids(self) -> frozenset[int]:
        """Returns its groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """A set of callers."""

    uids: frozenset[int] = frozenset()
    gids: frozenset[int] = frozenset()

    def __contains__(self, process: Process) -> bool:
        return process.uid in self.uids or not self.gids.isdisjoint(process.gids)


def callers_of(written: Iterable[Caller]) -> Callers:
    """Returns whom the settings name. Raises: ConfigError for a name that is not known here."""
    written = tuple(written)
    return Callers(
        uids=frozenset(uid_of(caller) for caller in written if not caller.group),
        gids=frozenset(_gid(caller) for caller in written if caller.group),
    )


def uid_of(caller: Caller) -> int:
    """Returns the uid of a caller that is no group. Raises: ConfigError if it is not known here."""
    if caller.uid is not None:
        return caller.uid
    try:
        import pwd  # noqa: PLC0415 - laptops run Windows, which has no such module

        return pwd.getpwnam(caller.user).pw_uid
    except (ImportError, KeyError, ValueError) as error:
        raise ConfigError(f"{caller.user} is no user of this host", key=caller.key) from error


def _gid(caller: Caller) -> int:
    try:
        import grp  # noqa: PLC0415 - as above

        return grp.getgrnam(caller.group).gr_gid
    except (ImportError, KeyError, ValueError) as error:
        raise ConfigError(f"{caller.group} is no group of this host", key=caller.key) from error
