"""Manifests and tags, and the lists of what there is.

distribution specification, «Pulling manifests», «Pushing Manifests» and «Content Discovery».
"""

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from pullpass.errors import MalformedInput
from pullpass.registry.embedded.paths import Target
from pullpass.registry.embedded.problems import Problem
from pullpass.registry.embedded.storage import Repository, Storage
from pullpass.registry.manifest import (
    MAX_MANIFEST,
    Index,
    Manifest,
    digest_of,
    is_digest,
    parse_manifest,
)
from pullpass.serving import BodyTooLong, read_body


async def base(_request: Request, _storage: Storage, _target: Target) -> Response:
    """Says that this is a registry, and that the caller may speak to it."""
    return JSONResponse({})


async def catalog(_request: Request, storage: Storage, _target: Target) -> Response:
    """Lists all repositories."""
    return JSONResponse({"repositories": list(storage.repositories())})


async def tags(_request: Request, storage: Storage, target: Target) -> Response:
    """Lists a repository's tags."""
    found = storage.repository(target.repository).tags()
    if found is None:
        raise Problem("NAME_UNKNOWN", {"name": target.repository})
    return JSONResponse({"name": target.repository, "tags": found})


async def get(_request: Request, storage: Storage, target: Target) -> Response:
    """Answers with the manifest that a tag or a digest names."""
    if ":" in target.reference and not is_digest(target.reference):
        raise Problem("DIGEST_INVALID")
    found = storage.repository(target.repository).manifest(target.reference)
    if found is None:
        raise Problem("MANIFEST_UNKNOWN", target.reference)
    path, digest, media_type = found
    headers = {"Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
    return FileResponse(path, headers=headers, media_type=media_type)


async def put(request: Request, storage: Storage, target: Target) -> Response:
    """Keeps a manifest, if the repository holds all that it names."""
    repository = storage.repository(target.repository)
    media_type = request.headers.get("content-type", "")
    try:
        content = await read_body(request, MAX_MANIFEST)
        manifest = parse_manifest(content, media_type)
    except (BodyTooLong, MalformedInput) as error:
        raise Problem("MANIFEST_INVALID", str(error)) from error
    by_digest = ":" in target.reference
    if by_digest and target.reference != digest_of(content):
        raise Problem("DIGEST_INVALID")
    _check_parts(repository, manifest)
    tag = "" if by_digest else target.reference
    digest = repository.put_manifest(content, media_type, tag)
    location = f"/v2/{target.repository}/manifests/{digest}"
    return Response(
        status_code=201, headers={"Location": location, "Docker-Content-Digest": digest}
    )


def _check_parts(repository: Repository, manifest: Manifest | Index) -> None:
    if isinstance(manifest, Index):
        parts = [part.digest for part in manifest.manifests]
        missing = [digest for digest in parts if repository.manifest(digest) is None]
    else:
        parts = [part.digest for part in (manifest.config, *manifest.layers)]
        missing = [digest for digest in parts if repository.blob(digest) is None]
    if missing:
        raise Problem("MANIFEST_BLOB_UNKNOWN", missing[0])
