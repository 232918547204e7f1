"""Who is at the other end of a Unix socket, as the kernel says. Linux only."""

import errno
import os
import socket
import struct
from dataclasses import dataclass
from typing import Final, Protocol

from pullpass.errors import UsageError

NEEDS_LINUX: Final = "the agent needs Linux, which alone says who asks: use pullpass without it"
_CREDENTIALS: Final = struct.Struct("=iII")  # struct ucred, unix(7)
_SO_PEERGROUPS: Final = 59  # include/uapi/asm-generic/socket.h; the module has no name for it
_GROUPS: Final = 1024  # bytes, 256 groups; getsockopt of Python takes no more


class Connection(Protocol):
    """A connected Unix socket, or what an event loop gives for one."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        """Returns the option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A process at the time when it connected, or began to listen.

    Attributes:
        gids: its effective group and its supplementary ones; these are left out where they are more
            than 256, so that no group of such a caller's gives it a right.
        pid: for logs; by the time it is read it may be somebody else's.
    """

    uid: int
    gids: frozenset[int]
    pid: int


def peer_of(connection: Connection) -> Peer:
    """Returns who is at the other end: SO_PEERCRED and SO_PEERGROUPS of unix(7).

    Raises:
        OSError: if the kernel does not say.
    """
    pid, uid, gid = _credentials(connection)
    return Peer(uid=uid, gids=frozenset({gid, *_groups(connection)}), pid=pid)


def is_trusted_server(connection: Connection) -> bool:
    """Tells whether whoever listens is root or this process's user. Raises: OSError."""
    return _credentials(connection)[1] in {0, os.geteuid()}


def need_linux() -> None:
    """Holds that the kernel can say who a peer is. Raises: UsageError."""
    if not hasattr(socket, "SO_PEERCRED"):
        raise UsageError(NEEDS_LINUX)


def _credentials(connection: Connection) -> tuple[int, int, int]:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return pid, uid, gid


def _groups(connection: Connection) -> tuple[int, ...]:
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS)
    except OSError as error:
        if error.errno != errno.ERANGE:
            raise
        return ()
    return struct.unpack(f"={len(raw) // 4}I", raw)
