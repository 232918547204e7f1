"""Where the agent listens, and who can reach it there."""

import os
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pullpass.agent.client import HOST_SOCKET
from pullpass.agent.policy import Policy
from pullpass.agent.private import held, make_private
from pullpass.config.model import Config
from pullpass.errors import ConfigError

BACKLOG: Final = 1024  # connections that wait to be taken
_KEY: Final = "agent.socket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A socket's path and who may reach it.

    Attributes:
        ours: whether the directory is the agent's own, to be closed and opened by the policy.
        mode: of the directory; the socket's is its ``rw`` counterpart.
        gid: the group to which both belong, None for the agent's own.
    """

    path: Path
    ours: bool
    mode: int
    gid: int | None

    @property
    def socket_mode(self) -> int:
        """Returns the socket's mode: to connect is to write."""
        return {0o700: 0o600, 0o750: 0o660}.get(self.mode, 0o666)


def place_of(config: Config, policy: Policy, environ: Mapping[str, str]) -> Place:
    """Returns where the agent of config listens.

    Raises:
        ConfigError: if there is no usual place for this user.
    """
    others = policy.others
    mode, gid = 0o755, None  # whom it is open to is then for the kernel's word on each peer
    if not others.uids and len(others.gids) <= 1:
        mode, gid = (0o750, next(iter(others.gids))) if others.gids else (0o700, None)
    named = config.agent.socket
    return Place(path=named or _usual(environ), ours=named is None, mode=mode, gid=gid)


@contextmanager
def listening(place: Place) -> Iterator[socket.socket]:
    """Gives the socket that listens at place; nobody can connect before its mode is right.

    Raises:
        UsageError: if another agent listens there.
        ConfigError: if the place cannot be had, or others could replace what is in it.
    """
    with ExitStack() as stack:
        try:
            _prepare(place)
            stack.enter_context(held(place.path, "agent", _KEY))
            bound = stack.enter_context(_bound(place))
        except OSError as error:
            reason = f"{error.filename or place.path}: {error.strerror or error}"
            raise ConfigError(reason, key=_KEY) from error
        yield bound


def reopen(place: Place) -> None:
    """Opens place to whom its policy names now. Raises: OSError.

    It shows on the socket even where nothing changes, see ``AgentClient.generation``.
    """
    if place.ours:
        _open_to(place.path.parent, place, place.mode)
    _open_to(place.path, place, place.socket_mode)


def _usual(environ: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return HOST_SOCKET
    runtime = Path(environ.get("XDG_RUNTIME_DIR", ""))
    if not runtime.is_absolute():
        raise ConfigError("is needed where there is no XDG_RUNTIME_DIR", key=_KEY)
    return runtime / "pullpass" / "agent.sock"


def _prepare(place: Place) -> None:
    if make_private(place.path.parent, _KEY) or place.ours:
        _open_to(place.path.parent, place, place.mode)


def _open_to(path: Path, place: Place, mode: int) -> None:
    if place.gid is not None:
        os.chown(path, -1, place.gid, follow_symlinks=False)
    path.chmod(mode)


@contextmanager
def _bound(place: Place) -> Iterator[socket.socket]:
    _clear(place.path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bound:
        bound.bind(str(place.path))
        try:
            _open_to(place.path, place, place.socket_mode)
            bound.listen(BACKLOG)
            yield bound
        finally:
            place.path.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    """Removes the socket that an agent left behind; only whoever holds the lock may."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ConfigError(f"{path} is there and no socket: move it away", key=_KEY)
    path.unlink()
