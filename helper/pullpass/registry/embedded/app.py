"""The embedded registry as an ASGI application: one route, one check, one table of operations."""

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pullpass.registry.embedded import blobs, manifests
from pullpass.registry.embedded.access import challenge
from pullpass.registry.embedded.paths import Kind, Target, parse_target, wanted
from pullpass.registry.embedded.problems import Problem
from pullpass.registry.embedded.settings import Settings, Trust, read_settings
from pullpass.registry.embedded.storage import Storage

Operation = Callable[[Request, Storage, Target], Awaitable[Response]]

_VERSION: Final = {"Docker-Distribution-Api-Version": "registry/2.0"}
_OPERATIONS: Final[Mapping[Kind, Mapping[str, Operation]]] = {
    Kind.BASE: {"GET": manifests.base},
    Kind.CATALOG: {"GET": manifests.catalog},
    Kind.TAGS: {"GET": manifests.tags},
    Kind.MANIFEST: {"GET": manifests.get, "HEAD": manifests.get, "PUT": manifests.put},
    Kind.BLOB: {"GET": blobs.get, "HEAD": blobs.get},
    Kind.UPLOADS: {"POST": blobs.start},
    Kind.UPLOAD: {"GET": blobs.status, "PATCH": blobs.append, "PUT": blobs.finish},
}


def create() -> Starlette:
    """Returns the registry that the environment describes; see ``settings.read_settings``.

    Raises:
        ConfigError: if the environment does not describe one.
    """
    return application(read_settings(os.environ))


def application(settings: Settings) -> Starlette:
    """Returns a registry with settings."""
    storage = Storage(root=settings.root)

    async def serve(request: Request) -> Response:
        try:
            response = await _answer(request, storage, settings.trust)
        except Problem as problem:
            response = problem.response()
        except ClientDisconnect:
            response = Response(status_code=400)  # nobody is there to read it
        response.headers.update(_VERSION)
        return response

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", serve, methods=methods)])


async def _answer(request: Request, storage: Storage, trust: Trust | None) -> Response:
    target = parse_target(request.scope["path"])
    if target is None:
        return Response("not found\n", 404, media_type="text/plain")
    if (refusal := _refusal(request, target, trust)) is not None:
        return refusal
    operations = _OPERATIONS[target.kind]
    if request.method not in operations:
        response = Problem("UNSUPPORTED").response()
        response.headers["Allow"] = ", ".join(operations)
        return response
    return await operations[request.method](request, storage, target)


def _refusal(request: Request, target: Target, trust: Trust | None) -> Response | None:
    scopes = wanted(target, request.method, request.query_params)
    authorization = request.headers.get("authorization", "")
    asked = challenge(trust, authorization, scopes, time.time()) if trust else None
    if asked is None:
        return None
    response = Problem("UNAUTHORIZED", [str(scope) for scope in scopes]).response()
    response.headers["WWW-Authenticate"] = asked
    return response
