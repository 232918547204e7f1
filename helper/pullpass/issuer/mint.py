"""Mints tokens: the role decides, the audit is told, the active version signs."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Final

from pullpass.config.issuing import Issuer, Role
from pullpass.errors import KeyStoreError, MintDenied, PullpassError
from pullpass.http import Flow
from pullpass.issuer.admission import Asking, Local, Proven, admit
from pullpass.issuer.audit import AuditSink
from pullpass.issuer.role import MintRequest, draft
from pullpass.keys.transit import IssuerKeys
from pullpass.secret import Secret
from pullpass.unix import Callers

_TOLD: Final = frozenset({"sub", "aud", "exp", "jti"})
_NOBODY: Final = Callers()


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
        asking: for whom.
        local: the callers of this host whom a role's ``mint`` names, by issuer and role.
        now: the clock, Unix seconds.
        token_id: gives a new ``jti`` of at least 128 random bits.
    """

    issuers: Mapping[str, Issuer]
    keys: IssuerKeys
    audit: AuditSink
    asking: Asking = field(default_factory=Local)
    local: Mapping[tuple[str, str], Callers] = field(default_factory=dict)
    now: Callable[[], float] = time.time
    token_id: Callable[[], str] = lambda: token_urlsafe(16)

    def mint(self, issuer: str, role: str, request: MintRequest) -> Flow[Minted]:
        """Yields what a remote key is asked, returns a token of role and leaves one audit line.

        Where the key is on this host nothing is yielded.

        Raises:
            MintDenied: if the role does not allow it, or there is none of that name.
            KeyStoreError: if the signing key cannot be had, or is another issuer's.
            IdentityError: if the audit line cannot be written.
        """
        record: dict[str, Any] = {
            "event": "mint",
            "issuer": issuer,
            "role": role,
            "aud": list(request.audiences),
            "caller": {**request.facts, **self.asking.shown()},
        }
        try:
            by, under = self.find(issuer, role)
            if under.verbose_logging:
                record["asked"] = request.shown()
            minted = yield from self._sign(by, under, request)
        except PullpassError as error:
            failed = error.constraint if isinstance(error, MintDenied) else "signing_key"
            denied = {"decision": "deny", "constraint": failed, "reason": str(error)}
            self._write({**record, **denied})
            raise
        said = {name: value for name, value in minted.claims.items() if name in _TOLD}
        proof = {"alg": by.algorithm, "kid": minted.kid, "token_sha256": minted.token.fingerprint()}
        self._write({**record, **said, **proof, "decision": "allow"})
        return minted

    def refuse(self, issuer: str, role: str, error: PullpassError, proven: Proven | None) -> None:
        """Leaves a line about somebody who could not even ask. Raises: IdentityError."""
        failed = error.constraint if isinstance(error, MintDenied) else "caller"
        denied = {"decision": "deny", "constraint": failed, "reason": str(error)}
        caller = proven.shown() if proven else {"kind": "unproven"}
        self._write({"event": "mint", "issuer": issuer, "role": role, "caller": caller, **denied})

    def foresee(self, issuer: str, role: str, request: MintRequest) -> Mapping[str, Any]:
        """Returns the claims that ``mint`` would sign now. Nothing is signed or written.

        Raises:
            MintDenied: if the role does not allow them, or there is none of that name.
        """
        by, under = self.find(issuer, role)
        return draft(by, under, request, now=self.now(), token_id="")

    def carry_on(self) -> Flow[None]:
        """Looks at every signing key, which makes the changes that are due.

        What cannot be had is passed over: whoever mints with it is told.
        """
        for name in {issuer.signing_key for issuer in self.issuers.values()}:
            with suppress(KeyStoreError):
                yield from self.keys.load(name)

    def find(self, issuer: str, role: str) -> tuple[Issuer, Role]:
        """Returns the issuer and its role.

        Raises:
            MintDenied: if there is none of that name, or it does not let whoever asks.
        """
        found = self.issuers.get(issuer)
        if found is None:
            raise MintDenied(
                f"there is no issuer {issuer}: add [issuers.{issuer}]", constraint="issuer"
            )
        if role not in found.roles:
            raise MintDenied(
                f"issuer {issuer} has no role {role}: add [issuers.{issuer}.roles.{role}]",
                constraint="role",
            )
        admit(found.roles[role], self.asking, self.local.get((issuer, role), _NOBODY))
        return found, found.roles[role]

    def _sign(self, issuer: Issuer, role: Role, request: MintRequest) -> Flow[Minted]:
        claims = draft(issuer, role, request, now=self.now(), token_id=self.token_id())
        key = yield from self.keys.load(issuer.signing_key)
        if not issuer.insecure:  # nobody but this host knows one on loopback
            yield from self.keys.freeze(key, issuer.name, issuer.issuer)
        version = key.active
        token = yield from version.token(claims, algorithm=issuer.algorithm)
        return Minted(token=token, claims=claims, kid=version.kid)

    def _write(self, record: Mapping[str, Any]) -> None:
        self.audit.write({"time": int(self.now()), **record})
