"""The two tokens of the token server, and what keeps them apart: issuer, key and ``typ``."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Final

from pullpass.claims import read_token
from pullpass.config.model import MIN_TOKEN_TTL, Connection, Service, exchange_issuer
from pullpass.errors import TokenRefused
from pullpass.http import Flow
from pullpass.keys.transit import KeySource
from pullpass.relying import verify
from pullpass.scope import Scope
from pullpass.secret import Secret
from pullpass.verifier.verify import EXCHANGE_TYPE

BACKDATE: Final = 10  # seconds; zot has no leeway


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A token and how many seconds it is good for."""

    token: Secret = field(repr=False)
    expires_in: int
    token_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who a credential was issued to.

    Attributes:
        connection: the connection that let it in.
        issuer: the issuer that knows the subject; a connection may be given another one.
        expires_at: Unix seconds.
    """

    connection: str
    issuer: str
    subject: str
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMint:
    """Signs and reads the tokens of services.

    Attributes:
        now: the clock, Unix seconds.
        token_id: gives a new ``jti`` of at least 128 random bits.
    """

    keys: KeySource
    now: Callable[[], float] = time.time
    token_id: Callable[[], str] = lambda: token_urlsafe(16)

    def credential(
        self, service: Service, connection: Connection, subject: str, lifetime: int = 0
    ) -> Flow[Issued]:
        """Yields what a remote key is asked and returns a credential for subject.

        It is good for nothing but this server's ``/token``. It lives as long as the service gives
        or lifetime seconds, whichever is less; 0 asks for nothing.

        Raises:
            KeyStoreError: if the exchange key cannot be had.
        """
        key = yield from self.keys.load(service.exchange_key)
        ttl = min(service.exchange_ttl, lifetime or service.exchange_ttl)
        claims = self._claims(exchange_issuer(service), service.issuer, ttl)
        claims |= {"sub": subject, "service": service.name}
        claims |= {"connection": connection.name, "connection_issuer": connection.issuer}
        token = yield from key.active.token(claims, type_=EXCHANGE_TYPE)
        return Issued(token=token, expires_in=ttl, token_id=claims["jti"])

    def bearer(self, credential: Secret, service: Service) -> Flow[Bearer]:
        """Yields what a remote store is asked and returns who shows credential at service.

        Raises:
            TokenRefused: if it is not a credential for this service, or not any more.
            KeyStoreError: if the exchange key cannot be had.
        """
        unverified = read_token(credential.reveal())
        if unverified.header_text("typ") != EXCHANGE_TYPE:
            raise TokenRefused("it is not an exchanged credential")
        kid = unverified.header_text("kid")
        versions = (yield from self.keys.load(service.exchange_key)).published
        key = next((version.public for version in versions if version.kid == kid), None)
        if key is None:
            raise TokenRefused("the credential was signed by a key that is gone: pull again")
        claims = verify(credential, key)
        wanted = (exchange_issuer(service), service.issuer, service.name)
        if tuple(claims.get(name) for name in ("iss", "aud", "service")) != wanted:
            raise TokenRefused(f"the credential is not for service {service.name}")
        if claims["exp"] - self.now() < MIN_TOKEN_TTL:
            raise TokenRefused("the credential expired: pull again")
        return Bearer(
            connection=claims["connection"],
            issuer=claims["connection_issuer"],
            subject=claims["sub"],
            expires_at=claims["exp"],
        )

    def registry_token(
        self, service: Service, user: str, granted: Iterable[Scope], not_after: int
    ) -> Flow[Issued]:
        """Yields what a remote key is asked and returns a token that the registry of service takes.

        It ends by not_after, Unix seconds.

        Its form serves distribution 2.8 and 3, which take ``aud`` as text and the libtrust
        fingerprint as ``kid``, and zot, which has no leeway: no list, whole seconds, backdated.

        Raises:
            KeyStoreError: if the signing key cannot be had.
        """
        version = (yield from self.keys.load(service.signing_key)).active
        ttl = min(service.token_ttl, not_after - int(self.now()))
        claims = self._claims(service.issuer, service.name, ttl)
        claims |= {"sub": user, "access": [_access(scope) for scope in granted if scope.actions]}
        token = yield from version.token(claims, kid=version.public.libtrust_id())
        return Issued(token=token, expires_in=ttl, token_id=claims["jti"])

    def _claims(self, issuer: str, audience: str, ttl: int) -> dict[str, Any]:
        now = int(self.now())
        times = {"iat": now - BACKDATE, "nbf": now - BACKDATE, "exp": now + ttl}
        return {"iss": issuer, "aud": audience, "jti": self.token_id(), **times}


def _access(scope: Scope) -> Mapping[str, Any]:
    return {"type": scope.type, "name": scope.name, "actions": sorted(scope.actions)}
