"""A token server in this process, with a clock, keys and an issuer that a test holds."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from fakes.issuing import transit_key
from fakes.oidc import Issuer
from pullpass.claims import read_token
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import KeyStoreError
from pullpass.http import Flow
from pullpass.keys.transit import TransitKey
from pullpass.scope import parse_scopes
from pullpass.secret import Secret
from pullpass.tokenserver.app import PATIENCE, application
from pullpass.tokenserver.server import TokenServer
from pullpass.tokenserver.tokens import TokenMint

NOW: Final = 1_800_000_000  # Unix seconds
ISSUER: Final = "https://id.example.com/t/6f1c/jwt/jfrog"
SERVICE: Final = "registry.example.com"
OTHER_SERVICE: Final = "other.example.com"
SUBJECT: Final = "registry-pull"
RULESETS: Final = (
    {
        "label": "nodes",
        "subject": [SUBJECT],
        "resources": ["repository:team/*"],
        "actions": ["pull"],
        "username": "puller",
    },
    {
        "label": "ci",
        "subject": ["repo:acme/*:ref:refs/heads/main"],
        "resources": ["repository:team/*"],
        "actions": ["pull", "push"],
    },
)
GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"
EXCHANGE: Final = "/access/api/v1/oidc/token"
_OAUTH_CODES: Final = {
    400: "invalid_request",
    401: "invalid_grant",
    413: "invalid_request",
    503: "server_error",
}


def connection(**changes: Any) -> dict[str, Any]:
    """Returns the settings of a connection that lets SUBJECT of ISSUER pull from SERVICE."""
    return {"issuer": ISSUER, "audiences": [SERVICE], "rulesets": list(RULESETS)} | changes


def config(**connections: Mapping[str, Any]) -> Config:
    """Returns settings with two services and these connections, by default one: strongbox."""
    settings = {
        "keys": {"registry-token": {}, "other-token": {}, "exchange": {}},
        "services": {
            SERVICE: {
                "issuer": "https://auth.example.com",
                "signing_key": "registry-token",
                "exchange_key": "exchange",
            },
            OTHER_SERVICE: {
                "issuer": "https://auth.example.com",
                "signing_key": "other-token",
                "exchange_key": "exchange",
            },
        },
        "connections": connections or {"strongbox": connection()},
    }
    return parse(settings, Path("/nowhere"))


@dataclass(slots=True)
class Clock:
    """A clock that stands still unless it is moved."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Keys:
    """Transit keys in memory, made when they are asked for the first time."""

    made: dict[str, TransitKey] = field(default_factory=dict)
    lost: bool = False

    def load(self, name: str) -> Flow[TransitKey]:
        """Returns the key name."""
        yield from ()
        if self.lost:
            raise KeyStoreError(f"/var/lib/pullpass/keys/{name}.json cannot be read")
        if name not in self.made:
            self.made[name] = transit_key(name)
        return self.made[name]


def identity(issuer: Issuer, now: float = NOW, **claims: Any) -> Secret:
    """Returns a five-minute identity; claims replace those that it would have, None drops one."""
    usual = {
        "iss": issuer.url,
        "sub": SUBJECT,
        "aud": SERVICE,
        "iat": int(now),
        "nbf": int(now) - 10,
        "exp": int(now) + 300,
        "jti": "one",
    }
    kept = {name: value for name, value in (usual | claims).items() if value is not None}
    return issuer.sign(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that a token server has around it. The clock tells both kinds of time."""

    issuer: Issuer = field(default_factory=lambda: Issuer(url=ISSUER))
    clock: Clock = field(default_factory=Clock)
    keys: Keys = field(default_factory=Keys)

    @property
    def mint(self) -> TokenMint:
        """Returns a mint over the keys."""
        return TokenMint(keys=self.keys, now=self.clock)

    def server(self, settings: Config | None = None) -> TokenServer:
        """Returns a token server whose key cache is cold."""
        return TokenServer(settings or config(), self.mint, self.issuer, monotonic=self.clock)

    def identity(self, **claims: Any) -> Secret:
        """Returns what ``identity`` gives, by this world's clock."""
        return identity(self.issuer, self.clock.now, **claims)

    def credential(self, **claims: Any) -> Secret:
        """Returns what strongbox's exchange gives for an identity with claims."""
        return exchanged(self.server(), self.identity(**claims))

    def registry_token(self, *scopes: str) -> Secret:
        """Returns a registry token of SERVICE for SUBJECT."""
        asked = parse_scopes(scopes)
        granted = asyncio.run(self.server().token(SERVICE, asked, self.identity()))
        return granted.token.token


def exchanged(server: TokenServer, identity: Secret, name: str = "strongbox") -> Secret:
    """Returns the credential that a connection of server gives for identity."""
    return asyncio.run(server.exchange(name, identity)).credential.token


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A token server's HTTP, without a socket. An exception in it is raised here."""

    world: World
    runner: asyncio.Runner
    client: httpx.AsyncClient

    def ask(self, method: str, path: str, **wanted: Any) -> httpx.Response:
        """Sends one request."""
        return self.runner.run(self.client.request(method, path, **wanted))

    def exchange(self, **changes: Any) -> httpx.Response:
        """Asks for JFrog's exchange; changes replace members of the body, None drops one."""
        usual = {
            "grant_type": GRANT,
            "subject_token_type": ID_TOKEN,
            "subject_token": self.world.identity().reveal(),
            "provider_name": "strongbox",
        }
        body = {name: value for name, value in (usual | changes).items() if value is not None}
        return self.ask("POST", EXCHANGE, content=json.dumps(body))  # httpx writes no surrogates

    def token(
        self, *scopes: str, password: str = "", user: str = "puller", service: str = SERVICE
    ) -> httpx.Response:
        """Asks as docker does: GET with Basic, by default with a fresh identity as password."""
        secret = password or self.world.identity().reveal()
        query = {"service": service, "scope": scopes}
        return self.ask("GET", "/token", params=query, headers=[basic(f"{user}:{secret}")])

    def post(self, *more: tuple[str, str], **changes: Any) -> httpx.Response:
        """Asks as containerd does: POST with a form; changes replace fields, None drops one."""
        usual = {
            "grant_type": "password",
            "service": SERVICE,
            "client_id": "docker",
            "username": "puller",
            "password": self.world.identity().reveal(),
        }
        fields = {name: value for name, value in (usual | changes).items() if value is not None}
        return self.ask("POST", "/token", content=urlencode([*fields.items(), *more]))


def oauth_error(answer: httpx.Response, status: int) -> str:
    """Holds that answer is an error as RFC 6749 §5.2 writes it and returns its description."""
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert ("www-authenticate" in answer.headers) is (status == 401)
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    assert body["error"] == _OAUTH_CODES[status]
    message: str = body["error_description"]
    assert message.isprintable()
    return message


def granted(answer: httpx.Response) -> str:
    """Returns the scope of an answer with a token, and holds that the token says the same."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    access = read_token(body["token"]).claims["access"]
    told = " ".join(f"{one['type']}:{one['name']}:{','.join(one['actions'])}" for one in access)
    assert body["scope"] == told
    return told


def basic(text: str) -> tuple[str, str]:
    """Returns a header with text as Basic credentials."""
    return "Authorization", f"Basic {b64encode(text.encode()).decode()}"


@contextmanager
def served(
    settings: Config | None = None, patience: float = PATIENCE, world: World | None = None
) -> Iterator[Door]:
    """Gives the door of a token server for the length of a block."""
    world = world or World()
    app = application(settings or config(), world.mint, world.issuer, patience)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="https://auth.example.com"
    )
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        try:
            yield Door(world=world, runner=runner, client=client)
        finally:
            runner.run(client.aclose())
            runner.run(lifespan.__aexit__(None, None, None))
