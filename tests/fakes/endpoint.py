"""Endpoints on loopback: one that answers as a Transport does, and one that never comes to an end.

Each is gone when its block ends.
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import Final

from pullpass.http import Request, Response

POLL: Final = 0.01  # seconds until a server sees that it is to end
PACE: Final = 0.2  # seconds between two drips


def handler(
    send: Callable[[Request], Response | None], scheme: str, noted: list[int]
) -> type[BaseHTTPRequestHandler]:
    """Returns what serves a connection with the answers that send returns."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two segments

        def setup(self) -> None:
            noted.append(self.client_address[1])
            super().setup()

        def do_GET(self) -> None:
            self.do_POST()

        def do_PUT(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            url = f"{scheme}://{self.headers['Host']}{self.path}"
            headers = dict(self.headers.items())
            request = Request(method=self.command, url=url, headers=headers, body=body)
            response = send(request)
            self.close_connection |= response is None
            if response:
                with suppress(ConnectionError):  # a client may have enough of a long answer
                    self._write(response)

        def _write(self, response: Response) -> None:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    return Answer


@contextmanager
def answering(
    send: Callable[[Request], Response | None],
    tls: ssl.SSLContext | None = None,
    connections: list[int] | None = None,
) -> Iterator[str]:
    """Serves what send returns and gives the origin; None closes the connection unanswered.

    It keeps connections open, and notes in connections the port where each comes from.
    """
    scheme = "https" if tls else "http"
    noted = [] if connections is None else connections
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(send, scheme, noted)) as server:
        if tls:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        yield from _served(server, scheme)


@contextmanager
def endless(beginning: bytes = b"", drip: bytes = b"") -> Iterator[str]:
    """Takes connections, writes beginning and then a drip at a time, and gives the origin."""
    ended = Event()

    class Drip(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                self.request.sendall(beginning)
                while not ended.wait(PACE):
                    self.request.sendall(drip)

    with ThreadingTCPServer(("127.0.0.1", 0), Drip) as server:
        try:
            yield from _served(server)
        finally:
            ended.set()


def _served(
    server: ThreadingTCPServer | ThreadingHTTPServer, scheme: str = "http"
) -> Iterator[str]:
    Thread(target=server.serve_forever, args=(POLL,), daemon=True).start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
