"""A stand-in for JFrog's OpenID Connect token endpoint.

It keeps the rules that the platform documents, but checks no signature: the claims of a token alone
say whether it is trusted.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from pullpass.claims import audiences_of, read_token
from pullpass.errors import InvalidToken
from pullpass.http import Request, Response

PATH: Final = "/access/api/v1/oidc/token"
_FIXED: Final = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
}
_OPTIONAL: Final = {"audience", "identity_mapping_name", "project_key", "provider_type"}


def unsigned(claims: Mapping[str, Any]) -> str:
    """Returns what looks like a JWT with claims; nobody signed it."""
    parts = [json.dumps(part).encode() for part in ({"alg": "ES256"}, dict(claims))] + [b"no one"]
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@dataclass(kw_only=True)
class JFrog:
    """The platform at origin with one integration and one identity mapping. A Transport.

    Attributes:
        lifetime: of what it gives out, in seconds.
        names_user: whether the answer has a user name beside the token's own subject.
        seen: the requests so far.
    """

    origin: str = "https://acme.jfrog.io"
    provider_name: str = "strongbox"
    mapping: str = "puller"
    issuer: str = "https://id.example.com"
    audience: str = "acme.jfrog.io"
    subject: str = "registry-pull"
    username: str = "puller"
    lifetime: int = 60
    names_user: bool = True
    seen: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        self.seen.append(request)
        parts = urlsplit(request.url)
        if request.origin != self.origin or parts.path != PATH or request.method != "POST":
            return _error(404, "NOT_FOUND", "no such endpoint")
        headers = {name.lower(): value for name, value in request.headers.items()}
        if parts.query or headers.get("content-type") != "application/json":
            return _error(400, "BAD_REQUEST", "not JSON")
        if "authorization" in headers:
            return _error(401, "UNAUTHORIZED", "this endpoint takes no other authentication")
        return self._exchange(json.loads(request.body))

    def _exchange(self, fields: dict[str, Any]) -> Response:
        needed = {*_FIXED, "subject_token", "provider_name"}
        if (
            not needed <= fields.keys() <= needed | _OPTIONAL
            or not _FIXED.items() <= fields.items()
        ):
            return _error(400, "BAD_REQUEST", "unknown or missing field")
        if fields.get("audience", self.audience) != self.audience:
            return _error(400, "BAD_REQUEST", "Invalid audience")
        if fields["provider_name"] != self.provider_name or not self._trusts(fields):
            return _error(401, "UNAUTHORIZED", f"no mapping for {fields['subject_token']}")
        return _json(200, self._answer())

    def _trusts(self, fields: dict[str, Any]) -> bool:
        try:
            token = read_token(fields["subject_token"])
            audiences = audiences_of(token.claims)
        except InvalidToken:
            return False
        return (
            token.text("iss") == self.issuer
            and token.text("sub") == self.subject
            and self.audience in audiences
            and fields.get("identity_mapping_name", self.mapping) == self.mapping
        )

    def _answer(self) -> dict[str, Any]:
        claims = {"sub": f"jfac@01h/users/{self.username}", "iss": "jfac@01h"}
        answer = {
            "access_token": unsigned(claims),
            "expires_in": self.lifetime,
            "token_type": "Bearer",
            "scope": "applied-permissions/user",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        }
        return answer | ({"username": self.username} if self.names_user else {})


def _error(status: int, code: str, message: str) -> Response:
    return _json(status, {"errors": [{"code": code, "message": message}]})


def _json(status: int, value: object) -> Response:
    headers = {"content-type": "application/json"}
    return Response(status=status, headers=headers, body=json.dumps(value).encode())
