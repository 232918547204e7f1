"""Two registries which keep the same contract, and a realm that gives tokens for both."""

import json
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx

from fakes.programs import (
    NotReady,
    TokenAuth,
    answers,
    docker_registry,
    environment,
    free_port,
    running,
)
from pullpass.certificates import certify
from pullpass.jose import PrivateKey, generate_key, sign
from pullpass.registry.embedded.settings import VARIABLE
from pullpass.scope import Scope, parse_scopes

ISSUER: Final = "https://issuer.test"
SERVICE: Final = "registry.test"
USER: Final = "puller"
PASSWORD: Final = "correct horse"
LEEWAY: Final = 60  # seconds for which distribution 2.8 takes a token after its end
ATTEMPTS: Final = 3  # a free port may be taken before the program takes it
_SERVE: Final = """\
import sys
from pullpass.config.model import Listener
from pullpass.serving import serve
serve(
    "pullpass.registry.embedded:create",
    Listener(host="127.0.0.1", port=int(sys.argv[1]), certificate=None, private_key=None),
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """Where clients get tokens: whatever USER asks for is granted.

    Attributes:
        certificate: the file by which a registry trusts the tokens.
        asked: the credentials that it was shown, as Basic writes them.
    """

    url: str
    key: PrivateKey
    certificate: Path
    asked: list[str] = field(default_factory=list)

    def token(self, *scopes: str, **claims: Any) -> str:
        """Returns a token for scopes; claims replace those that it would have, None drops one."""
        now = int(time.time())
        usual = {
            "iss": ISSUER,
            "aud": SERVICE,
            "sub": USER,
            "exp": now + 300,
            "nbf": now - 10,
            "iat": now - 10,
            "jti": "1",
            "access": access(parse_scopes(scopes)),
        }
        kept = {name: value for name, value in (usual | claims).items() if value is not None}
        return sign(kept, self.key, kid=self.key.public.libtrust_id()).reveal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A registry on loopback that trusts a realm."""

    address: str
    realm: Realm
    client: httpx.Client

    def ask(
        self,
        method: str,
        path: str,
        *scopes: str,
        token: str = "",
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Sends a request with token, or with one for scopes, or with none if there are none."""
        shown = token or (self.realm.token(*scopes) if scopes else "")
        authorization = {"Authorization": f"Bearer {shown}"} if shown else {}
        url = path if path.startswith("http") else f"http://{self.address}{path}"
        given = {**authorization, **(headers or {})}
        return self.client.request(method, url, headers=given, content=content)

    def location(self, answer: httpx.Response) -> str:
        """Returns the URL that answer's Location names."""
        return str(answer.url.join(answer.headers["location"]))


def access(scopes: tuple[Scope, ...]) -> list[dict[str, Any]]:
    """Returns scopes as a token names them."""
    return [
        {"type": scope.type, "name": scope.name, "actions": sorted(scope.actions)}
        for scope in scopes
    ]


@contextmanager
def realm(
    directory: Path, *, anybody: bool = False, lifetime: float | None = None
) -> Iterator[Realm]:
    """Serves a realm on loopback for the length of a block.

    Args:
        directory: takes its certificate.
        anybody: whether it gives tokens for every user and password.
        lifetime: seconds for which a registry takes its tokens, None for five minutes and more.
    """
    key = generate_key()
    certificate = directory / "realm.pem"
    certificate.write_bytes(certify(key, "realm"))
    expected = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            shown = self.headers.get("Authorization", "")
            found.asked.append(shown)
            allowed = shown == expected or (anybody and shown.startswith("Basic "))
            token = found.token(*query.get("scope", []), **times(lifetime)) if allowed else ""
            self.send_response(200 if allowed else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"token": token}).encode())

        def do_POST(self) -> None:
            self.send_response(405)  # containerd then asks by GET
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        port = server.server_address[1]
        found = Realm(url=f"http://127.0.0.1:{port}/token", key=key, certificate=certificate)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()


def times(lifetime: float | None) -> dict[str, int]:
    """Returns the claims of a token that a registry takes for lifetime seconds."""
    if lifetime is None:
        return {}
    end = int(time.time() + lifetime - LEEWAY)
    return {"iat": end - 300, "nbf": end - 300, "exp": end}


@contextmanager
def debian_registry(directory: Path, trusted: Realm) -> Iterator[str]:
    """Runs docker-registry 2.8, which trusts a realm, and gives its address."""
    auth = TokenAuth(
        realm=trusted.url, service=SERVICE, issuer=ISSUER, rootcertbundle=trusted.certificate
    )
    with docker_registry(directory, auth=auth) as address:
        yield address


@contextmanager
def embedded_registry(directory: Path, trusted: Realm) -> Iterator[str]:
    """Runs the embedded registry, which trusts a realm, and gives its address."""
    auth = {
        "realm": trusted.url,
        "service": SERVICE,
        "issuer": ISSUER,
        "certificates": str(trusted.certificate),
    }
    settings = json.dumps({"root": str(directory / "contents"), "auth": auth})
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield _started(stack, settings, directory / "log")


def _started(stack: ExitStack, settings: str, log: Path) -> str:
    for attempt in range(ATTEMPTS):
        port = free_port()
        program = running(
            [sys.executable, "-c", _SERVE, str(port)],
            log=log,
            env=environment(**{VARIABLE: settings}),
        )
        process = stack.enter_context(program)
        try:
            process.until(partial(answers, port, "/v2/"))
        except NotReady:
            if attempt + 1 == ATTEMPTS:
                raise
        else:
            return f"127.0.0.1:{port}"
    raise AssertionError
