"""An issuer that is asked from other hosts, and what they show it."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fakes.issuing import Keys, Ledger, transit_key
from fakes.oidc import Issuer as Platform
from fakes.settings import ISSUER, REGISTRY, changed, role
from pullpass.config.parse import parse
from pullpass.issuer.mint import Minter
from pullpass.issuer.outside import Outside
from pullpass.jose import PrivateKey, generate_key, sign

NOW: Final = 1_800_000_000
KEY: Final = generate_key("ed25519")
OTHER: Final = generate_key("ed25519")
PLATFORM: Final = "https://ci.example.com"
NODES: Final = ("issuers", "nodes")
SUBJECTS: Final = ("repo:acme/*", "spiffe://td/*", "system:serviceaccount:team-a:*")


def enrolled(key: PrivateKey) -> dict[str, str]:
    """Returns what `pullpass node-key show` prints of key."""
    members = key.public.jwk("a")
    return {name: members[name] for name in ("kty", "crv", "x", "y") if name in members}


@dataclass
class World:
    """An issuer that lets worker-1 and a CI platform mint."""

    changes: Mapping[tuple[str, ...], Any] = field(default_factory=dict)
    now: float = NOW
    seconds: float = 0.0
    ledger: Ledger = field(default_factory=lambda: Ledger(room=10_000))

    def __post_init__(self) -> None:
        self.key = transit_key("identity")
        self.platform = Platform(url=PLATFORM)
        values = changed(
            (
                (*NODES, "nodes"),
                {"worker-1": {"keys": [enrolled(KEY)]}, "w2": {"keys": [enrolled(OTHER)]}},
            ),
            (
                (*NODES, "callers"),
                {"ci": {"issuer": PLATFORM, "subjects": [*SUBJECTS]}},
            ),
            (
                (*NODES, "roles", "node"),
                role(subject_template="node:${node}", mint=[{"node": "worker-*"}]),
            ),
            (
                (*NODES, "roles", "ci"),
                role(subject_template="${caller}:${caller.subject}", mint=[{"caller": "ci"}]),
            ),
            (
                (*NODES, "roles", "spiffe"),
                role(subject_template="${spiffe.id}", mint=[{"caller": "ci"}]),
            ),
            (
                (*NODES, "roles", "account"),
                role(
                    subject_template="${k8s.namespace}/${k8s.serviceaccount}",
                    mint=[{"caller": "ci"}],
                ),
            ),
            *((path, value) for path, value in self.changes.items()),
        )
        self.config = parse(values, Path("/nowhere"))
        self.minter = Minter(
            issuers=self.config.issuers,
            keys=Keys({"identity": self.key}),
            audit=self.ledger,
            now=lambda: self.now,
        )
        self.restart()

    def restart(self) -> None:
        """Lets a server begin that has seen nothing yet."""
        self.outside = Outside(self.minter, self.platform, lambda: self.now, lambda: self.seconds)

    def ask(self, proof: str, role_: str = "node", body: object = None) -> tuple[int, Any]:
        """Returns what is answered to a request for a token of a role."""
        counter = self.outside.find(("id.example.com", f"/t/6f1c/jwt/nodes/roles/{role_}/mint"))
        assert counter
        raw = (
            body
            if isinstance(body, bytes)
            else json.dumps(body or {"audiences": [REGISTRY]}).encode()
        )
        return asyncio.run(self.outside.mint(counter, proof, raw))

    def refused(self, proof: str, role_: str = "node", body: object = None) -> tuple[int, str]:
        status, said = self.ask(proof, role_, body)
        record = self.ledger.records[-1]
        assert record["decision"] == "deny"
        assert said.keys() == {"error", "error_description"}
        assert said["error_description"] == record["reason"]
        return status, f"{record['constraint']}: {record['reason']}"


def endpoint(role_: str) -> str:
    """Returns the URL that an assertion for a role is for."""
    return f"{ISSUER}/roles/{role_}/mint"


def assertion(key: PrivateKey = KEY, role_: str = "node", **changes: Any) -> str:
    """Returns what worker-1 shows, with these changes; None drops a claim."""
    claims = {
        "iss": "worker-1",
        "sub": "worker-1",
        "aud": endpoint(role_),
        "iat": NOW,
        "exp": NOW + 30,
        "jti": "one",
    } | changes
    said = {name: value for name, value in claims.items() if value is not None}
    kid = changes.get("kid") or key.public.thumbprint()
    said.pop("kid", None)
    return f"Bearer {sign(said, key, kid=kid).reveal()}"
