"""The token server's HTTP: exchanges as JFrog, Docker Hub and RFC 8693 have them, and `/token`."""

import asyncio
import json
import logging
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pullpass.config.load import load
from pullpass.config.model import Config
from pullpass.config.network import network_of
from pullpass.errors import (
    InvalidToken,
    KeyStoreError,
    MalformedInput,
    PullpassError,
    TokenRefused,
    TransportError,
    UsageError,
)
from pullpass.http import AsyncTransport
from pullpass.keys.stores import keys_of
from pullpass.scope import parse_scopes
from pullpass.secret import Secret
from pullpass.serving import BodyTooLong, json_response, read_body
from pullpass.tokenserver.server import Exchanged, Granted, TokenServer
from pullpass.tokenserver.tokens import TokenMint
from pullpass.transport import AsyncHttpTransport

MAX_FORM: Final = 64 * 1024  # bytes
PATIENCE: Final = 10.0  # seconds within which a request's body must be there
GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
SUBJECT_TYPES: Final = frozenset(
    f"urn:ietf:params:oauth:token-type:{name}" for name in ("id_token", "jwt")
)
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
LIFETIMES: Final = range(300, 21600 + 1)  # seconds; what Docker Hub's clients may ask for
_BASIC: Final = {"WWW-Authenticate": 'Basic realm="pullpass"'}

Endpoint = Callable[[Request], Awaitable[Response]]


def create() -> Starlette:
    """Returns the token server that is configured. Raises: ConfigError."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = load()
    return application(config, TokenMint(keys=keys_of(config)))


def application(
    config: Config,
    tokens: TokenMint,
    transport: AsyncTransport | None = None,
    patience: float = PATIENCE,
) -> Starlette:
    """Returns a token server; transport is for the issuers' documents, patience in seconds."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        real = AsyncHttpTransport(network_of(config))
        app.state.server = TokenServer(config, tokens, transport or real)
        app.state.patience = patience
        yield
        await real.aclose()

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/healthz", _health, methods=["GET"]),
            Route("/access/api/v1/oidc/token", _answering(_jfrog, _jfrog_error), methods=["POST"]),
            Route("/oauth/token", _answering(_oauth, _oauth_error), methods=["POST"]),
            Route("/token", _answering(_docker_get, _oauth_error), methods=["GET"]),
            Route("/token", _answering(_docker_post, _oauth_error), methods=["POST"]),
        ],
    )


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _answering(endpoint: Endpoint, failed: Callable[[int, str], Response]) -> Endpoint:
    """Returns endpoint with our errors told in the shape that its clients read."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except KeyStoreError:  # says which file is how: for the log, not for the network
            return failed(503, "the token server's keys cannot be had now: its log says why")
        except PullpassError as error:
            return failed(_status(error), str(error))

    return answer


def _status(error: PullpassError) -> int:
    match error:
        case TokenRefused() | InvalidToken():
            return 401
        case BodyTooLong():
            return 413
        case MalformedInput() | UsageError():
            return 400
        case TransportError():
            return 503
        case _:
            return 500


def _jfrog_error(status: int, message: str) -> Response:
    code = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 413: "BAD_REQUEST"}.get(status, "INTERNAL")
    return json_response({"errors": [{"code": code, "status": status, "message": message}]}, status)


def _oauth_error(status: int, message: str) -> Response:
    """Returns an error as RFC 6749 §5.2 writes it."""
    code = {400: "invalid_request", 401: "invalid_grant", 413: "invalid_request"}.get(
        status, "server_error"
    )
    headers = _BASIC if status == 401 else {}
    return json_response({"error": code, "error_description": message}, status, headers)


async def _jfrog(request: Request) -> Response:
    """Answers JFrog's OIDC token exchange, ``POST /access/api/v1/oidc/token``."""
    fields = _json_texts(await _body(request))
    identity = _subject_token(fields)
    exchanged = await _server(request).exchange(fields.get("provider_name", ""), identity)
    more = {"username": exchanged.username, "scope": "applied-permissions/user"}
    return json_response(_exchange_answer(exchanged) | more)


async def _oauth(request: Request) -> Response:
    """Answers a token exchange (RFC 8693 §2), Docker Hub's among them.

    Hub's ``connection_id``, or else ``client_id``, names the connection.
    """
    fields = dict(await _form(request))
    if fields.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        raise UsageError("requested_token_type is not that of an access token")
    exchanged = await _server(request).exchange(
        fields.get("connection_id") or fields.get("client_id", ""),
        _subject_token(fields),
        audience=fields.get("audience", ""),
        lifetime=_lifetime(fields.get("expires_in")),
    )
    return json_response(_exchange_answer(exchanged))


def _subject_token(fields: Mapping[str, str]) -> Secret:
    if fields.get("grant_type") != GRANT or fields.get("subject_token_type") not in SUBJECT_TYPES:
        raise UsageError("grant_type or subject_token_type is not that of an OIDC token exchange")
    return Secret(fields.get("subject_token", ""))


def _lifetime(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) not in LIFETIMES:
        raise UsageError(f"expires_in is from {LIFETIMES[0]} to {LIFETIMES[-1]} seconds")
    return int(text)


def _exchange_answer(exchanged: Exchanged) -> dict[str, Any]:
    return {
        "access_token": exchanged.credential.token.reveal(),
        "expires_in": exchanged.credential.expires_in,
        "token_type": "Bearer",
        "issued_token_type": ACCESS_TOKEN,
    }


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(request.app.state.patience):
            return await read_body(request, MAX_FORM)
    except (TimeoutError, ClientDisconnect) as error:
        raise UsageError("the request's body did not end in time") from error


async def _form(request: Request) -> list[tuple[str, str]]:
    body = await _body(request)
    try:
        return parse_qsl(body.decode("ascii"), max_num_fields=100, errors="strict")
    except ValueError as error:
        raise UsageError("the body is not a form") from error


def _json_texts(body: bytes) -> dict[str, str]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("the body is not JSON") from error
    if not isinstance(value, dict):
        raise UsageError("the body is not a JSON object")
    return {name: text for name, text in value.items() if isinstance(text, str)}


async def _docker_get(request: Request) -> Response:
    """Answers ``GET /token``: https://distribution.github.io/distribution/spec/auth/token/."""
    query = request.query_params
    credential = _basic_password(request)
    return await _grant(request, query.get("service", ""), query.getlist("scope"), credential)


async def _docker_post(request: Request) -> Response:
    """Answers ``POST /token``: https://distribution.github.io/distribution/spec/auth/oauth/."""
    pairs = await _form(request)
    fields = dict(pairs)
    slot = {"password": "password", "refresh_token": "refresh_token"}.get(
        fields.get("grant_type", ""), ""
    )
    if not slot:
        raise UsageError("grant_type is neither password nor refresh_token")
    scopes = [value for name, value in pairs if name == "scope"]
    return await _grant(request, fields.get("service", ""), scopes, Secret(fields.get(slot, "")))


async def _grant(request: Request, service: str, scopes: list[str], credential: Secret) -> Response:
    granted = await _server(request).token(service, parse_scopes(scopes), credential)
    return json_response(_token_answer(granted))


def _token_answer(granted: Granted) -> Mapping[str, Any]:
    token = granted.token.token.reveal()
    return {
        "token": token,
        "access_token": token,
        "expires_in": granted.token.expires_in,
        "issued_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "scope": " ".join(str(scope) for scope in granted.scopes if scope.actions),
    }


def _basic_password(request: Request) -> Secret:
    """Returns the password of the one Authorization header. Raises: TokenRefused.

    A token has no colon, but a user name may: repo:acme/app:ref:refs/heads/main is a subject.
    """
    headers = request.headers.getlist("authorization")
    scheme, _, coded = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        raise TokenRefused("a credential is needed: show one by Basic authentication")
    try:
        _, colon, password = b64decode(coded, validate=True).decode("utf-8").rpartition(":")
    except ValueError as error:
        raise TokenRefused("the Authorization header is not Basic authentication") from error
    if not colon:
        raise TokenRefused("the Authorization header is not Basic authentication")
    return Secret(password)


def _server(request: Request) -> TokenServer:
    server: TokenServer = request.app.state.server
    return server
