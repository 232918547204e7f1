"""``pullpass serve issuer`` as it runs for years: new settings, new keys, wrong settings."""

import json
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fakes.programs import environment, finished, free_port, running

SETTINGS = """
state_dir = "{state}"
[keys.k]
[serve.issuer]
listen = "127.0.0.1:{port}"
[issuers.first]
issuer = "http://127.0.0.1:{port}/first"
insecure = true
signing_key = "k"
"""


LEFT: Final = 1100  # connections; a server takes 1024 at a time unless it is told


class Served:
    """An issuer server and its settings."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.config = directory / "config.toml"
        self.settings = SETTINGS.format(state=directory / "state", port=self.port)
        self.config.write_text(self.settings)
        self.env = environment(PULLPASS_CONFIG=str(self.config))

    def pullpass(self, *arguments: str) -> str:
        done = finished(["pullpass", *arguments], env=self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path: str, **headers: str) -> httpx.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.get(url, headers=headers, timeout=30, trust_env=False)

    def asked(self) -> socket.socket:
        """Returns a connection that was answered once."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=15)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
        return connection

    def answers(self, path: str) -> bool:
        try:
            return self.get(path).status_code == 200
        except httpx.TransportError:
            return False

    def kids(self) -> list[Any]:
        return [jwk["kid"] for jwk in self.get("/first/jwks").json()["keys"]]


@pytest.fixture
def served(tmp_path: Path) -> Served:
    made = Served(tmp_path)
    made.pullpass("key", "create", "k")
    return made


def test_new_keys_and_new_settings_are_served_and_wrong_settings_change_nothing(
    served: Served, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(["pullpass", "serve", "issuer"], log=log, env=served.env) as server:
        server.until(lambda: served.answers("/readyz"))
        first = served.get("/first/jwks")
        assert (
            served.get("/first/jwks", **{"If-None-Match": first.headers["etag"]}).status_code == 304
        )

        rotated = json.loads(served.pullpass("key", "rotate", "k", "--json"))
        kids = [version["kid"] for version in rotated["versions"]]
        server.until(lambda: served.kids() == kids)

        served.config.write_text(f"{served.settings}\nunknown = true")
        server.popen.send_signal(signal.SIGHUP)
        server.until(lambda: "not reloaded, the old settings stay" in server.printed())
        assert served.answers("/first/jwks")

        more = served.settings.partition("[issuers.first]")[2].replace("/first", "/second")
        served.config.write_text(f"{served.settings}\n[issuers.second]{more}")
        before = server.children
        server.popen.send_signal(signal.SIGHUP)
        server.until(lambda: server.children.isdisjoint(before) and served.answers("/second/jwks"))
        assert served.kids() == kids
        assert "pullpass_key_versions" in served.get("/metrics").text


def test_without_its_key_it_is_alive_and_not_ready(served: Served, tmp_path: Path) -> None:
    (tmp_path / "state" / "keys" / "k.json").unlink()
    with running(["pullpass", "serve", "issuer"], log=tmp_path / "log", env=served.env) as server:
        server.until(lambda: served.answers("/healthz"))
        assert served.get("/readyz").status_code == 503
        served.pullpass("key", "create", "k")
        server.until(lambda: served.answers("/readyz"))


def test_whoever_leaves_connections_open_keeps_nobody_waiting(
    served: Served, tmp_path: Path
) -> None:
    with running(["pullpass", "serve", "issuer"], log=tmp_path / "log", env=served.env) as server:
        server.until(lambda: served.answers("/readyz"))
        with ExitStack() as stack:
            stack.enter_context(files_open(2 * LEFT))
            left = [stack.enter_context(served.asked()) for _ in range(LEFT)]
            assert left[-1].recv(1) == b""  # the server ends it, long before others do


@contextmanager
def files_open(wanted: int) -> Iterator[None]:
    """Lets this process have so many files open, which by default may be 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
