"""Blobs: reading them, mounting them, and uploading them in one piece or in several.

distribution specification, «Pulling blobs» and «Pushing Blobs». Writes go to the page cache and are
done in the event loop; only hashing a whole blob is left to a thread.
"""

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from pullpass.registry.embedded.paths import Target, is_repository
from pullpass.registry.embedded.problems import Problem
from pullpass.registry.embedded.storage import Repository, Storage
from pullpass.registry.manifest import is_digest


async def get(_request: Request, storage: Storage, target: Target) -> Response:
    """Answers with a blob, or with the part of it that a Range header names."""
    digest = _sound(target.reference)
    path = storage.repository(target.repository).blob(digest)
    if path is None:
        raise Problem("BLOB_UNKNOWN", digest)
    headers = {"Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
    return FileResponse(path, headers=headers, media_type="application/octet-stream")


async def start(request: Request, storage: Storage, target: Target) -> Response:
    """Mounts a blob from another repository, takes a whole one, or opens an upload."""
    repository = storage.repository(target.repository)
    query = request.query_params
    mount, digest = query.get("mount", ""), query.get("digest", "")
    if _mount(storage, repository, mount, query.get("from", "")):
        return _created(target, mount)
    if digest:
        _sound(digest)
    path = repository.start_upload()
    if digest:
        return await _finish(request, repository, target, path, digest)
    return _accepted(target, path, 202)


async def status(_request: Request, storage: Storage, target: Target) -> Response:
    """Says how much of an upload has arrived."""
    return _accepted(target, _upload(storage.repository(target.repository), target), 204)


async def append(request: Request, storage: Storage, target: Target) -> Response:
    """Takes the next part of a blob."""
    path = _upload(storage.repository(target.repository), target)
    await _receive(request, path)
    return _accepted(target, path, 202)


async def finish(request: Request, storage: Storage, target: Target) -> Response:
    """Takes what is left of a blob and keeps it, if it is what its digest says."""
    repository = storage.repository(target.repository)
    path = _upload(repository, target)
    digest = _sound(request.query_params.get("digest", ""))
    return await _finish(request, repository, target, path, digest)


async def _finish(
    request: Request, repository: Repository, target: Target, path: Path, digest: str
) -> Response:
    await _receive(request, path)
    if not await run_in_threadpool(repository.finish_upload, path, digest):
        raise Problem("DIGEST_INVALID", digest)
    return _created(target, digest)


async def _receive(request: Request, path: Path) -> None:
    async for chunk in request.stream():
        _append(path, chunk)


def _append(path: Path, chunk: bytes) -> None:
    with path.open("ab") as file:
        file.write(chunk)


def _mount(storage: Storage, repository: Repository, digest: str, source: str) -> bool:
    # Whatever cannot be mounted is uploaded instead, so nothing here is an error.
    sound = is_digest(digest) and is_repository(source)
    return sound and repository.mount(digest, storage.repository(source))


def _upload(repository: Repository, target: Target) -> Path:
    path = repository.upload(target.reference)
    if path is None:
        raise Problem("BLOB_UPLOAD_UNKNOWN")
    return path


def _sound(digest: str) -> str:
    if not is_digest(digest):
        raise Problem("DIGEST_INVALID")
    return digest


def _created(target: Target, digest: str) -> Response:
    headers = {
        "Location": f"/v2/{target.repository}/blobs/{digest}",
        "Docker-Content-Digest": digest,
    }
    return Response(status_code=201, headers=headers)


def _accepted(target: Target, path: Path, status_code: int) -> Response:
    # An empty upload is «0-0» too: docs/content/spec/api.md of distribution.
    headers = {
        "Location": f"/v2/{target.repository}/blobs/uploads/{path.name}",
        "Docker-Upload-UUID": path.name,
        "Range": f"0-{max(path.stat().st_size - 1, 0)}",
    }
    return Response(status_code=status_code, headers=headers)
