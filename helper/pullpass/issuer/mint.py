"""Mints tokens: the role decides, the audit is told, the active key signs."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

from pullpass.config.model import Issuer, Role
from pullpass.errors import MintDenied, PullpassError
from pullpass.issuer.audit import AuditSink
from pullpass.issuer.role import MintRequest, draft
from pullpass.jose import sign
from pullpass.keys.transit import KeySource
from pullpass.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A token and what it says."""

    token: Secret = field(repr=False)
    claims: Mapping[str, Any]
    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Minter:
    """Mints under the roles of the configured issuers.

    Attributes:
        now: the clock, Unix seconds.
        token_id: gives a new ``jti`` of at least 128 random bits.
    """

    issuers: Mapping[str, Issuer]
    keys: KeySource
    audit: AuditSink
    now: Callable[[], float] = time.time
    token_id: Callable[[], str] = lambda: token_urlsafe(16)

    def mint(self, issuer: str, role: str, request: MintRequest) -> Minted:
        """Returns a token of role and leaves one audit line, whatever the outcome.

        Raises:
            MintDenied: if the role does not allow it, or there is none of that name.
            KeyStoreError: if the signing key cannot be had.
            IdentityError: if the audit line cannot be written.
        """
        record = {"event": "mint", "issuer": issuer, "role": role, "aud": list(request.audiences)}
        try:
            minted = self._sign(*self._find(issuer, role), request)
        except PullpassError as error:
            self._write({**record, "decision": "deny", "reason": str(error)})
            raise
        claims = {name: minted.claims[name] for name in ("sub", "aud", "exp", "jti")}
        proof = {"kid": minted.kid, "token_sha256": minted.token.fingerprint()}
        self._write({**record, **claims, **proof, "decision": "allow"})
        return minted

    def _find(self, issuer: str, role: str) -> tuple[Issuer, Role]:
        found = self.issuers.get(issuer)
        if found is None:
            raise MintDenied(f"there is no issuer {issuer}: add [issuers.{issuer}]")
        if role not in found.roles:
            raise MintDenied(
                f"issuer {issuer} has no role {role}: add [issuers.{issuer}.roles.{role}]"
            )
        return found, found.roles[role]

    def _sign(self, issuer: Issuer, role: Role, request: MintRequest) -> Minted:
        claims = draft(issuer, role, request, now=self.now(), token_id=self.token_id())
        version = self.keys.load(issuer.signing_key).active
        token = sign(claims, version.key, kid=version.kid)
        return Minted(token=token, claims=claims, kid=version.kid)

    def _write(self, record: Mapping[str, Any]) -> None:
        self.audit.write({"time": int(self.now()), **record})
