"""The settings of the agent, and of who may ask it. Pure."""

from pathlib import Path
from typing import Final

from pullpass.config.callers import Caller
from pullpass.config.model import Agent
from pullpass.config.reader import Table
from pullpass.origin import is_loopback

LOCAL: Final = ("uid", "user", "group")  # what names a caller of this host
MAX_ID: Final = (1 << 32) - 2  # the kernel's last uid means none
MAX_SOCKET: Final = 107  # bytes of a Unix socket's path, unix(7)


def read_agent(table: Table) -> Agent:
    """Returns ``[agent]``. Raises: ConfigError."""
    usual = Agent()
    connections = table.number("max_connections", usual.max_connections, 4, 65536)
    agent = Agent(
        socket=_socket(table, "socket"),
        allow=read_callers(table, "allow"),
        shim=_shim(table),
        max_connections=connections,
        max_connections_per_user=table.number(
            "max_connections_per_user", connections // 2, 1, connections
        ),
        metrics=_metrics(table),
        drain=table.duration("drain", usual.drain),
    )
    table.done()
    return agent


def read_callers(table: Table, name: str) -> tuple[Caller, ...]:
    """Takes a list such as ``[{ uid = 0 }, { group = "docker" }]``, empty if it is not there.

    Raises:
        ConfigError: for a list that names nobody, and for what names no caller.
    """
    if not table.has(name):
        return ()
    found = tuple(read_caller(inner) for inner in table.tables(name))
    if not found:
        raise table.error(name, "names nobody: write who may ask, or leave it out")
    return found


def _socket(table: Table, name: str) -> Path | None:
    path = table.path(name)
    if path and len(str(path).encode()) > MAX_SOCKET:
        raise table.error(name, f"is longer than {MAX_SOCKET} bytes, which no socket may be")
    return path


def _metrics(table: Table) -> Path | tuple[str, int] | None:
    """Takes a path from the root, or an address on loopback: metrics are for this host alone."""
    if not table.has("metrics"):
        return None
    written = table.peek("metrics")
    if isinstance(written, str) and written.startswith("/"):
        return _socket(table, "metrics")
    host, port = table.address("metrics")
    if not is_loopback(host):
        raise table.error("metrics", "takes a socket's path, or an address on loopback")
    return host, port


def _shim(table: Table) -> Caller | None:
    if not table.has("shim"):
        return None
    shim = read_caller(table.table("shim"))
    if shim.group:
        raise table.error("shim", "takes one user: write { user = … } or { uid = … }")
    return shim


def read_caller(table: Table) -> Caller:
    """Takes one caller of this host. Raises: ConfigError."""
    names = [name for name in LOCAL if table.has(name)]
    if len(names) != 1:
        raise table.error("uid", "or user or group is needed, exactly one of them")
    (name,) = names
    caller = Caller(
        uid=table.number("uid", 0, 0, MAX_ID) if name == "uid" else None,
        user=table.text("user") if name == "user" else "",
        group=table.text("group") if name == "group" else "",
        key=table.dotted(name),
    )
    table.done()
    return caller
