"""A small HTTP server on loopback which behaves well or badly, by the path that is asked for."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, SO_LINGER, SOL_SOCKET
from struct import pack
from threading import Event, Thread
from typing import Final

STILL: Final = 20.0  # seconds that it says nothing
DRIP: Final = 0.03  # seconds between two bytes


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Loopback"

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        try:
            getattr(self, self.path[1:].partition("?")[0])()
        except OSError:
            self.close_connection = True  # the client has gone

    def do_POST(self) -> None:
        self.do_GET()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def plain(self) -> None:
        self.answer(200, b"hello", ETag='"1"')

    def refused(self) -> None:
        self.answer(401, b"no", **{"WWW-Authenticate": "Basic"})

    def busy(self) -> None:
        if self.server.seen.count(self.path) == 1:
            status, _, wait = self.path.partition("?")[2].partition(",")
            self.answer(int(status), b"not now", **({"Retry-After": wait} if wait else {}))
        else:
            self.plain()

    def echo(self) -> None:
        length = int(self.headers["Content-Length"])
        kind = self.headers["Content-Type"].encode()
        self.answer(200, kind + b" " + self.rfile.read(length))

    def encoding(self) -> None:
        self.answer(200, self.headers["Accept-Encoding"].encode())

    def told(self) -> None:
        self.answer(200, str(self.headers).encode())

    def peer(self) -> None:
        self.answer(200, str(self.client_address[1]).encode())

    def leaving(self) -> None:
        """Answers, and says and does what the query names once the answer was read."""
        self.close_connection = True
        self.peer()
        self.server.read.wait(STILL)
        words = self.path.partition("?")[2].split(",")
        if "farewell" in words:
            self.wfile.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        if "gone" in words:
            self.connection.shutdown(SHUT_RDWR)
        self.server.left.set()
        self.server.ending.wait(STILL)

    def flood(self) -> None:
        self.close_connection = True
        self.plain()
        self.server.read.wait(STILL)
        self.connection.settimeout(0.5)
        try:
            while not self.server.ending.is_set():
                self.server.flooded += self.connection.send(b"x" * 100_000)
        finally:
            self.server.left.set()

    def reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
        self.connection.close()

    def lettered(self) -> None:
        self.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Text: %b\r\n\r\n" % self.server.header
        )

    def redirect(self) -> None:
        self.answer(302, Location="/plain")

    def twice(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Basic")
        self.send_header("www-authenticate", "Bearer")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def long(self) -> None:
        self.answer(200, b"x" * 1001)

    def endless(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        while not self.server.ending.is_set():
            self.wfile.write(b"x" * 1000)

    def short(self) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")

    def gibberish(self) -> None:
        self.close_connection = True
        self.wfile.write(b"hunter2 is no HTTP\r\n\r\n")

    def silent(self) -> None:
        self.close_connection = True
        self.server.ending.wait(STILL)

    def slow_body(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.drip(b"x")

    def slow_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.drip(b"x")

    def drip(self, piece: bytes) -> None:
        self.close_connection = True
        while not self.server.ending.wait(DRIP):
            self.wfile.write(piece)

    def handle(self) -> None:
        with suppress(ConnectionResetError):  # the client has gone before it asked
            super().handle()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Loopback(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.seen: list[str] = []
        self.ending = Event()
        self.read, self.left = Event(), Event()
        self.flooded = 0
        self.header = b""
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}/{path}"


@contextmanager
def listening(server: Loopback) -> Iterator[Loopback]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.ending.set()
        server.shutdown()
        thread.join()
        server.server_close()
