"""How a proxy is asked for a connection: CONNECT (RFC 9110 §9.3.6). Pure."""

from base64 import b64encode
from collections.abc import Generator
from typing import Final

import h11

from pullpass.network import Proxy

MAX_HEAD: Final = 100 * 1024  # bytes, as httpcore has it for every answer


def tunnel(proxy: Proxy, host: str, port: int) -> Generator[bytes, bytes, int]:
    """Yields what proxy is told, is sent what it says, and returns its status: 2xx if it connects.

    Raises:
        h11.RemoteProtocolError: if what it says is not that.
        UnicodeError: if user or password cannot be sent.
    """
    wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    wire.receive_data((yield _asked(wire, proxy, f"[{host}]" if ":" in host else host, port)))
    while not isinstance(said := wire.next_event(), h11.Response):
        if said is h11.NEED_DATA:
            wire.receive_data((yield b""))
    if 200 <= said.status_code < 300 and wire.trailing_data[0]:
        raise h11.RemoteProtocolError("a proxy that speaks before whoever is behind it")
    return said.status_code


def _asked(wire: h11.Connection, proxy: Proxy, host: str, port: int) -> bytes:
    target = f"{host}:{port}"
    headers = [("Host", target)]
    if proxy.username or proxy.password:
        pair = f"{proxy.username}:{proxy.password.reveal()}".encode("utf-8", "surrogateescape")
        headers.append(("Proxy-Authorization", f"Basic {b64encode(pair).decode()}"))
    head = wire.send(h11.Request(method="CONNECT", target=target, headers=headers)) or b""
    return head + (wire.send(h11.EndOfMessage()) or b"")
