"""A registry's whole chain in memory: issuer, exchange, realm, registry. Each may break."""

import json
from base64 import b64decode
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from fakes.issuing import Keys, Ledger, transit_key
from fakes.jfrog import PATH, JFrog, unsigned
from fakes.oidc import Issuer
from fakes.scripted import Answer, Scripted
from pullpass.config.parse import parse
from pullpass.http import Request, Response
from pullpass.issuer.mint import Minter
from pullpass.scope import intersect, parse_scopes

NOW: Final = 1_800_000_000  # Unix seconds
ISSUER: Final = "https://id.example.com"
REGISTRY: Final = "acme.jfrog.io"
DISCOVERY: Final = ("GET", f"{ISSUER}/.well-known/openid-configuration")
JWKS: Final = ("GET", f"{ISSUER}/jwks")
EXCHANGE: Final = ("POST", f"https://{REGISTRY}{PATH}")
BASE: Final = ("GET", f"https://{REGISTRY}/v2/")
TAGS: Final = ("GET", f"https://{REGISTRY}/v2/team/app/tags/list")
REALM: Final = ("GET", "https://auth.example.com/token")
GRANTED: Final = "repository:team/app:pull"
CHALLENGE: Final = f'Bearer realm="{REALM[1]}?tenant=hidden",service="{REGISTRY}"'


def settings() -> dict[str, Any]:
    """Returns the configuration of a host whose every link holds."""
    role = {"allowed_audiences": [REGISTRY], "subject_template": "registry-pull"}
    return {
        "keys": {"identity": {}},
        "issuers": {
            "nodes": {"issuer": ISSUER, "signing_key": "identity", "roles": {"docker-pull": role}}
        },
        "registry": {
            REGISTRY: {
                "provider": "jfrog",
                "parameters": {"provider_name": "strongbox"},
                "credential": [{"repository": "*", "issuer": "nodes", "role": "docker-pull"}],
            }
        },
    }


@dataclass(kw_only=True)
class Chain:
    """A Transport to all hosts of one registry's chain.

    Attributes:
        settings: of the host that pulls, as TOML gives them.
        broken: answers that stand in for those of the chain.
        clock: what the other hosts say that time it is.
        challenge: of the registry: Bearer for the realm's token, Basic for the credential itself.
        opaque: whether the realm's tokens say nothing to their bearer.
        given: the tokens of the realm so far.
    """

    settings: dict[str, Any] = field(default_factory=settings)
    jfrog: JFrog = field(default_factory=lambda: JFrog(lifetime=3600))
    broken: dict[tuple[str, str], Answer] = field(default_factory=dict)
    keys: Keys = field(default_factory=lambda: Keys({"identity": transit_key("identity")}))
    ledger: Ledger = field(default_factory=Ledger)
    clock: float = NOW
    challenge: str = CHALLENGE
    opaque: bool = False
    given: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        signing = [version.local for version in self.keys.held["identity"].versions]
        documents = Issuer(url=ISSUER, keys=signing).documents()
        published = {("GET", url): _json(document) for url, document in documents.items()}
        self._whole: dict[tuple[str, str], Answer] = {
            **published,
            EXCHANGE: self._exchange,
            BASE: self._registry,
            TAGS: self._registry,
            REALM: self._realm,
        }

    @property
    def minter(self) -> Minter:
        """Returns the host's minter."""
        issuers = parse(self.settings, Path("/nowhere")).issuers
        return Minter(issuers=issuers, keys=self.keys, audit=self.ledger, now=lambda: NOW)

    def send(self, request: Request) -> Response:
        """Returns the answer to request, with the time of whoever gives it."""
        answer = Scripted({**self._whole, **self.broken}).send(request)
        date = formatdate(self.clock, usegmt=True)
        return replace(answer, headers={"date": date, **answer.headers})

    def _exchange(self, request: Request) -> Response:
        return self.jfrog.send(request)

    def _registry(self, request: Request) -> Response:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and shown in self.given:
            return Response(status=200)
        if self.challenge.startswith("Basic") and _is_credential(request):
            return Response(status=200)
        return Response(status=401, headers={"www-authenticate": self.challenge})

    def _realm(self, request: Request) -> Response:
        if not _is_credential(request):
            return Response(status=401)
        query = parse_qs(urlsplit(request.url).query)
        (allowed,) = parse_scopes([GRANTED])
        granted = [
            {"type": kept.type, "name": kept.name, "actions": sorted(kept.actions)}
            for scope in parse_scopes(query.get("scope", []))
            if scope.name == allowed.name and (kept := intersect(scope, allowed.actions)).actions
        ]
        token = "eyJ-opaque" if self.opaque else unsigned({"access": granted})
        self.given.add(token)
        return _json({"token": token})


def _is_credential(request: Request) -> bool:
    """Tells whether request shows what the exchange gave."""
    shown = request.headers.get("Authorization", "")
    return b64decode(shown.removeprefix("Basic ")).startswith(b"puller:eyJ")


def _json(value: object) -> Response:
    return Response(status=200, body=json.dumps(value).encode())
