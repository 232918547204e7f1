"""A proxy that opens connections when asked with CONNECT, and the private authority behind it.

It resolves names by a table, so that a test reaches ``https://reg.example`` on loopback.
"""

import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from select import select
from socket import create_connection, socket
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Final

import trustme

WAITS: Final = 20.0  # seconds for either side


@dataclass(slots=True, kw_only=True)
class Asked:
    """What a proxy was asked, and what it says.

    Attributes:
        routes: the port on loopback behind each ``host:port`` that it knows.
        wants: ``user:password``, empty to let everybody in.
        answer: the status for all, 200 to connect.
        more: what it says beside a good answer.
        seen: the targets so far.
    """

    routes: Mapping[str, int] = field(default_factory=dict)
    wants: str = ""
    answer: int = 200
    more: bytes = b""
    origin: str = ""
    seen: list[str] = field(default_factory=list)

    def status(self, method: str, target: str, authorization: str) -> int:
        """Returns the answer to method and target."""
        self.seen.append(target)
        if method != "CONNECT":
            return 405
        if self.wants and authorization != f"Basic {b64encode(self.wants.encode()).decode()}":
            return 407
        if self.answer == 200 and target not in self.routes:
            return 502
        return self.answer


@contextmanager
def proxying(asked: Asked, tls: ssl.SSLContext | None = None) -> Iterator[Asked]:
    """Serves asked, whose origin it sets, until the block ends; with tls over https."""

    class Tunnel(StreamRequestHandler):
        timeout = WAITS

        def handle(self) -> None:
            with suppress(OSError):  # whoever asked has gone
                self._answer()

        def _answer(self) -> None:
            method, target, _ = self.rfile.readline().decode().split()
            headers = {}
            while line := self.rfile.readline().decode().strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            status = asked.status(method, target, headers.get("proxy-authorization", ""))
            # The reason may be anything: nothing of it is to be repeated.
            page = b"" if status == 200 else b"<p>hunter2"
            head = f"HTTP/1.1 {status} hunter2\r\nContent-Length: {len(page)}\r\n\r\n"
            self.wfile.write(head.encode() + page)
            if status == 200:
                self.wfile.write(asked.more)
                self._join(asked.routes[target])

        def _join(self, port: int) -> None:
            with create_connection(("127.0.0.1", port), WAITS) as far:
                _joined(self.connection, far)

    server = ThreadingTCPServer(("127.0.0.1", 0), Tunnel)
    if tls:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "https" if tls else "http"
    asked.origin = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    with server:
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


def certified(
    authority: trustme.CA, *names: str, not_after: datetime | None = None
) -> ssl.SSLContext:
    """Returns what a server shows that has a certificate of authority for names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_after=not_after).configure_cert(context)
    return context


def _joined(near: socket, far: socket) -> None:
    """Copies both ways until one side ends, in one thread: a TLS socket takes no two of them."""
    other = {near: far, far: near}
    while ready := _readable(near, far):
        for source in ready:
            piece = source.recv(1 << 16)
            if not piece:
                return
            other[source].sendall(piece)


def _readable(near: socket, far: socket) -> list[socket]:
    if isinstance(near, ssl.SSLSocket) and near.pending():
        return [near]
    return select([near, far], [], [], WAITS)[0]
