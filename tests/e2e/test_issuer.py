"""``pullpass serve issuer`` as it runs for years: new settings, new keys, wrong settings."""

import json
import signal
from pathlib import Path
from typing import Any

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
