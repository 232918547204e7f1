"""The issuer's HTTP server: discovery and JWKS of every issuer, under its own host and path."""

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pullpass.config.issuing import Issuer
from pullpass.config.load import load
from pullpass.config.model import Config
from pullpass.errors import PullpassError
from pullpass.http import Offline, run
from pullpass.issuer.documents import discovery, jwks
from pullpass.keys.stores import keys_of
from pullpass.keys.transit import KeySource
from pullpass.serving import json_response

_DISCOVERY = "/.well-known/openid-configuration"
_JWKS = "/jwks"
_DEFAULT_PORT = ":443"  # which some clients leave out of Host
_FOR_EVERYONE = {"Access-Control-Allow-Origin": "*"}
_DISCOVERY_HEADERS = {"Cache-Control": "public, max-age=3600", **_FOR_EVERYONE}
_JWKS_HEADERS = {"Cache-Control": "public, max-age=300, stale-if-error=86400", **_FOR_EVERYONE}


def create() -> Starlette:
    """Returns the server of the configured issuers. Raises: ConfigError."""
    config = load()
    return application(config, keys_of(config))


def application(config: Config, keys: KeySource) -> Starlette:
    """Returns a server which publishes config's issuers and the public halves of keys."""
    by_url = {_place(issuer.issuer): issuer for issuer in config.issuers.values()}

    async def document(request: Request) -> Response:
        return await _document(request, by_url, keys)

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route("/healthz", health, methods=["GET"]),
            Route("/{path:path}", document, methods=["GET"]),
        ]
    )


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return _host(parts.netloc), parts.path


def _host(written: str) -> str:
    return written.lower().removesuffix(_DEFAULT_PORT)


async def _document(
    request: Request, by_url: Mapping[tuple[str, str], Issuer], keys: KeySource
) -> Response:
    # Not request.url: that is put together from Host, which need not make a URL.
    host, path = _host(request.headers.get("host", "")), f"/{request.path_params['path']}"
    for suffix, answer in ((_DISCOVERY, _discovery), (_JWKS, _jwks)):
        issuer = by_url.get((host, path.removesuffix(suffix)))
        if issuer is not None and path.endswith(suffix):
            return await answer(issuer, keys)
    return PlainTextResponse("no issuer is published under this host and path\n", 404)


async def _discovery(issuer: Issuer, _: KeySource) -> Response:
    return json_response(discovery(issuer), headers=_DISCOVERY_HEADERS)


async def _jwks(issuer: Issuer, keys: KeySource) -> Response:
    try:
        key = await run_in_threadpool(run, keys.load(issuer.signing_key), Offline())
    except PullpassError as error:
        logging.getLogger(__name__).error("%s: no JWKS: %s", issuer.issuer, error)  # noqa: TRY400 - one line, no traceback
        return PlainTextResponse("the signing key cannot be had: see the server's log\n", 503)
    return json_response(jwks(key, issuer.algorithm), headers=_JWKS_HEADERS)
