"""An OIDC issuer in memory: it signs, and it is a transport that answers with its documents."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pullpass.errors import TransportError
from pullpass.http import Request, Response
from pullpass.jose import PrivateKey, generate_key, sign
from pullpass.secret import Secret


@dataclass(frozen=True, slots=True)
class Gate:
    """Holds requests back: the first that comes sets ``reached``, all wait for ``opened``."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, kw_only=True)
class Issuer:
    """An issuer whose keys and moods a test may change.

    Attributes:
        keys: those that its JWKS lists; the last one signs.
        up: whether it answers at all.
        asked: the URLs that it was asked for.
        gate: what its answers wait for.
    """

    url: str
    keys: list[PrivateKey] = field(default_factory=lambda: [generate_key()])
    up: bool = True
    asked: list[str] = field(default_factory=list)
    gate: Gate | None = None

    async def send(self, request: Request) -> Response:
        """Returns the document that request names."""
        self.asked.append(request.url)
        if self.gate is not None:
            self.gate.reached.set()
            await self.gate.opened.wait()
        await asyncio.sleep(0)  # a real one lets others run meanwhile
        if not self.up:
            raise TransportError(f"{request.origin}: no answer (Connection refused)")
        document = self.documents().get(request.url)
        if document is None:
            return Response(status=404)
        return Response(status=200, body=json.dumps(document).encode())

    def documents(self) -> Mapping[str, Mapping[str, Any]]:
        """Returns what is served, by URL."""
        keys = [key.public.jwk(key.public.thumbprint()) for key in self.keys]
        discovery = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "id_token_signing_alg_values_supported": sorted(
                {key.public.algorithms[0] for key in self.keys}
            ),
        }
        return {
            f"{self.url}/.well-known/openid-configuration": discovery,
            f"{self.url}/jwks": {"keys": keys},
        }

    def sign(
        self, claims: Mapping[str, Any], *, key: PrivateKey | None = None, type_: str = "JWT"
    ) -> Secret:
        """Returns claims signed by key, else by the last of the issuer's."""
        signer = key or self.keys[-1]
        return sign(claims, signer, kid=signer.public.thumbprint(), type_=type_)
