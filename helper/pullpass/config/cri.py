"""The settings of the CRI shim. Pure."""

from pathlib import Path
from typing import Final

from pullpass.config.model import Cri, CriPull
from pullpass.config.reader import Table

IN_PROCESS, AGENT = "in-process", "agent"
MAX_SOCKET: Final = 107  # bytes; unix(7)
_FAILS: Final = {"closed": False, "open": True}


def read_cri(table: Table) -> Cri:
    """Takes ``[cri]``. Raises: ConfigError."""
    usual = Cri()
    cri = Cri(
        listen=_socket(table, "listen", usual.listen),
        backend=_socket(table, "backend", usual.backend),
        status=_socket(table, "status", usual.status),
        credentials=table.text("credentials", usual.credentials),
        agent=_socket(table, "agent", usual.agent),
        exchange_timeout=table.duration("exchange_timeout", usual.exchange_timeout),
        drain=table.duration("drain", usual.drain),
    )
    if cri.credentials not in {AGENT, IN_PROCESS}:
        raise table.error("credentials", f'takes "{AGENT}" or "{IN_PROCESS}"')
    for name in ("backend", "status"):
        if getattr(cri, name) == cri.listen:
            raise table.error(name, "is the path of listen too: give each socket its own")
    table.done()
    return cri


def read_pull(table: Table, *, insecure: bool) -> CriPull:
    """Takes ``[registry.R.cri]``. Raises: ConfigError."""
    fail = table.text("fail", "closed")
    if fail not in _FAILS:
        raise table.error("fail", 'takes "closed" or "open"')
    pull = CriPull(
        override=table.flag("override", default=False),
        fail_open=_FAILS[fail],
        server_address=table.origin("server_address", insecure=insecure),
        auth_failures=table.texts("auth_failures", ()),
    )
    table.done()
    return pull


def _socket(table: Table, name: str, default: Path) -> Path:
    path = table.path(name) or default
    if len(str(path).encode()) > MAX_SOCKET:
        raise table.error(name, f"is longer than {MAX_SOCKET} bytes, which no socket's path may be")
    return path
