"""What the token server does, whatever the wire looks like."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pullpass.claims import VerifiedClaims, read_token
from pullpass.config.model import MIN_TOKEN_TTL, Config, Connection, Ruleset, Service
from pullpass.errors import PullpassError, TokenRefused, TransportError, UsageError
from pullpass.http import AsyncTransport, run_async
from pullpass.scope import Scope
from pullpass.secret import Secret
from pullpass.tokenserver.grant import grant, matching, username
from pullpass.tokenserver.tokens import Bearer, Issued, TokenMint
from pullpass.verifier.known import KnownKeys
from pullpass.verifier.verify import EXCHANGE_TYPE, Trust, verify

MAX_LOGGED: Final = 200  # characters of a name that nobody has checked yet
_LOG: Final = logging.getLogger("pullpass.tokenserver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """What an exchange gives: a user and a credential."""

    username: str
    credential: Issued


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A registry token and what it allows."""

    token: Issued
    scopes: tuple[Scope, ...]


class TokenServer:
    """Exchanges identities, grants registry tokens, and logs each decision without a secret."""

    def __init__(
        self,
        config: Config,
        tokens: TokenMint,
        transport: AsyncTransport,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._tokens = tokens
        self._transport = transport
        self._known = KnownKeys(transport, self._without_keys, monotonic)

    async def exchange(
        self,
        connection_name: str,
        identity: Secret,
        *,
        audience: str = "",
        lifetime: int = 0,
    ) -> Exchanged:
        """Returns a credential for the subject of identity, a token of the connection's issuer.

        Args:
            connection_name: of the connection.
            identity: what is shown.
            audience: the service that is wanted, empty for the one that identity is made for.
            lifetime: how many seconds are wanted, 0 for as many as the service gives.

        Raises:
            UsageError: if identity is not made for audience.
            TokenRefused, InvalidToken: if the connection does not let it in.
            TransportError: if the issuer's keys cannot be had.
            KeyStoreError: if the exchange key cannot be had.
        """
        record = {"event": "exchange", "connection": connection_name[:MAX_LOGGED]}
        with _denials_logged(record):
            connection = self._connection(connection_name)
            claims = await self._verify(identity, connection, connection.audiences)
            service = self._service_of(claims)
            if audience not in {"", service.name}:
                raise UsageError("audience is not the service that the subject token is made for")
            user = username(_rulesets(connection, claims.subject), claims.subject)
            made = self._tokens.credential(service, connection, claims.subject, lifetime)
            credential = await run_async(made, self._transport)
        shown = {"sub": claims.subject, "identity": claims.token_id, "user": user}
        _log(record, decision="allow", service=service.name, **shown, jti=credential.token_id)
        return Exchanged(username=user, credential=credential)

    async def token(
        self, service_name: str, asked: tuple[Scope, ...], credential: Secret
    ) -> Granted:
        """Returns a registry token with what of asked the bearer of credential may do.

        Credential is one that ``exchange`` gave, or an identity shown as password.

        Raises:
            UsageError: if there is no such service.
            TokenRefused, InvalidToken: if the credential is no good (any more).
            TransportError: if the issuer's keys cannot be had.
            KeyStoreError: if a key cannot be had.
        """
        record = {"event": "token", "service": service_name[:MAX_LOGGED]}
        with _denials_logged(record):
            service = self._service(service_name)
            bearer = await self._bearer(service, credential)
            rulesets = _rulesets(self._connection(bearer.connection), bearer.subject)
            scopes = grant(rulesets, asked)
            user = username(rulesets, bearer.subject)
            made = self._tokens.registry_token(service, user, scopes, bearer.expires_at)
            token = await run_async(made, self._transport)
        shown = {"connection": bearer.connection, "sub": bearer.subject, "user": user}
        scope_texts = {"asked": _texts(asked), "granted": _texts(scopes)}
        _log(record, decision="allow", **shown, **scope_texts, jti=token.token_id)
        return Granted(token=token, scopes=scopes)

    def _service(self, name: str) -> Service:
        found = self._config.services.get(name)
        if found is None:
            raise UsageError("this token server does not know that service: check the registry's")
        return found

    def _connection(self, name: str) -> Connection:
        found = self._config.connections.get(name)
        if found is None:
            raise TokenRefused(
                "no connection of that name: check provider_name, connection_id or client_id"
            )
        if not found.active:
            raise TokenRefused(f"connection {name} is not active")
        return found

    async def _bearer(self, service: Service, credential: Secret) -> Bearer:
        unverified = read_token(credential.reveal())
        if unverified.header_text("typ") != EXCHANGE_TYPE:
            return await self._identity(service, unverified.text("iss"), credential)
        bearer = await run_async(self._tokens.bearer(credential, service), self._transport)
        connection = self._connection(bearer.connection)
        if connection.issuer != bearer.issuer or service.name not in connection.audiences:
            raise TokenRefused(f"connection {connection.name} was changed since: pull again")
        return bearer

    async def _identity(self, service: Service, issuer: str, identity: Secret) -> Bearer:
        """Returns who shows identity: of an issuer's connections the first that lets it in."""
        refusal = TokenRefused(f"no connection of service {service.name} trusts its iss")
        for connection in self._config.connections.values():
            trusted = connection.active and connection.issuer == issuer
            if trusted and service.name in connection.audiences:
                try:
                    return await self._let_in(service, connection, identity)
                except TokenRefused as error:
                    refusal = error
        raise refusal

    async def _let_in(self, service: Service, connection: Connection, identity: Secret) -> Bearer:
        claims = await self._verify(identity, connection, (service.name,))
        self._service_of(claims)
        _rulesets(connection, claims.subject)
        if claims.expires_at - self._tokens.now() < MIN_TOKEN_TTL:
            raise TokenRefused("the identity expires within a minute: pull again")
        return Bearer(
            connection=connection.name,
            issuer=connection.issuer,
            subject=claims.subject,
            expires_at=claims.expires_at,
        )

    async def _verify(
        self, identity: Secret, connection: Connection, audiences: tuple[str, ...]
    ) -> VerifiedClaims:
        trust = Trust(
            issuer=connection.issuer, audiences=audiences, algorithms=connection.algorithms
        )
        kid = read_token(identity.reveal()).header_text("kid")
        keys = await self._known.of(connection.issuer, kid)
        return verify(identity, trust, keys, self._tokens.now())

    def _without_keys(self, issuer: str, error: TransportError) -> None:
        names = [one.name for one in self._config.connections.values() if one.issuer == issuer]
        _log({"event": "keys"}, connection=", ".join(names), reason=str(error))

    def _service_of(self, claims: VerifiedClaims) -> Service:
        names = set(claims.audiences) & self._config.services.keys()
        if len(names) != 1:
            raise TokenRefused("its aud names several services: mint one token for each")
        return self._config.services[names.pop()]


def _rulesets(connection: Connection, subject: str) -> tuple[Ruleset, ...]:
    found = matching(connection, subject)
    if not found:
        raise TokenRefused(
            f"no ruleset of connection {connection.name} speaks of its sub, {subject}"
        )
    return found


def _texts(scopes: tuple[Scope, ...]) -> list[str]:
    return [str(scope) for scope in scopes]


@contextmanager
def _denials_logged(record: dict[str, str]) -> Iterator[None]:
    try:
        yield
    except PullpassError as error:
        _log(record, decision="deny", reason=str(error))
        raise


def _log(record: dict[str, str], **more: object) -> None:
    _LOG.info("%s", json.dumps({"time": int(time.time()), **record, **more}))
