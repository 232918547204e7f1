"""Images and blobs on their way into a registry and out of it, for the contract of registries."""

import json

import httpx

from fakes.registries import Registry
from pullpass.registry.image import tiny_image
from pullpass.registry.manifest import OCI_INDEX, OCI_MANIFEST, digest_of

NOWHERE = f"sha256:{'a' * 64}"
IMAGE = tiny_image()
NO_UPLOAD = {"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"}  # by when docker-registry notices


def code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["code"])


def both(repository: str) -> str:
    return f"repository:{repository}:pull,push"


def start(registry: Registry, repository: str) -> str:
    answer = registry.ask("POST", f"/v2/{repository}/blobs/uploads/", both(repository))
    assert answer.status_code == 202
    assert answer.headers["docker-upload-uuid"]
    return registry.location(answer)


def finish(
    registry: Registry, repository: str, url: str, digest: str, content: bytes = b""
) -> httpx.Response:
    query = f"{'&' if '?' in url else '?'}digest={digest}"
    return registry.ask("PUT", url + query, both(repository), content=content)


def upload(registry: Registry, repository: str, content: bytes) -> None:
    answer = finish(registry, repository, start(registry, repository), digest_of(content), content)
    assert answer.status_code == 201
    assert answer.headers["docker-content-digest"] == digest_of(content)


def put_manifest(
    registry: Registry, repository: str, reference: str, content: bytes, kind: str = OCI_MANIFEST
) -> httpx.Response:
    path = f"/v2/{repository}/manifests/{reference}"
    headers = {"Content-Type": kind}
    return registry.ask("PUT", path, both(repository), content=content, headers=headers)


def index_of(digest: str) -> bytes:
    platform = {"os": "linux", "architecture": "amd64"}
    part = {"mediaType": OCI_MANIFEST, "digest": digest, "size": len(IMAGE.manifest)}
    manifests = [{**part, "platform": platform}]
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
    return json.dumps(index).encode()


def get(registry: Registry, repository: str, what: str, **headers: str) -> httpx.Response:
    accept = {"Accept": f"{OCI_MANIFEST}, {OCI_INDEX}"}
    path = f"/v2/{repository}/{what}"
    return registry.ask("GET", path, both(repository), headers={**accept, **headers})


def push(registry: Registry, repository: str, tag: str = "latest") -> None:
    for blob in IMAGE.blobs:
        upload(registry, repository, blob)
    assert put_manifest(registry, repository, tag, IMAGE.manifest).status_code == 201
