"""A pull: the manifest, then all that it names, everything verified against its digest."""

from dataclasses import dataclass, field
from typing import Final

from pullpass.credential import Credential
from pullpass.errors import MalformedInput, RegistryError
from pullpass.http import Flow, Request
from pullpass.registry.client import Grant, Session
from pullpass.registry.image import Image
from pullpass.registry.manifest import (
    INDEXES,
    MANIFESTS,
    MAX_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    describe,
    digest_of,
    parse_manifest,
)
from pullpass.registry.place import Place
from pullpass.scope import Scope

MAX_IMAGE: Final = 256 << 20  # bytes; a pull is held in memory
PLATFORM: Final = "linux/amd64"
_ACCEPT: Final = ", ".join((*MANIFESTS, *INDEXES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """An image that was pulled, each part of it verified.

    Attributes:
        grant: how the registry's challenge was answered; None where it asked for nothing.
        index: the index that the image was chosen from, if there was one.
        manifest: the image's own manifest.
        blobs: the configuration and the layers, as the image holds them.
    """

    grant: Grant | None
    index: Descriptor | None
    manifest: Descriptor
    blobs: tuple[Descriptor, ...]
    image: Image = field(repr=False)


def pull(
    place: Place,
    repository: str,
    reference: str,
    credential: Credential | None,
    *,
    platform: str = PLATFORM,
) -> Flow[Pulled]:
    """Pulls the image that reference, a tag or a digest, names in repository.

    Of an index it takes the image for platform, else the first one.

    Raises:
        RegistryError: if something is not there, not allowed, too big or not what its digest says.
    """
    scope = Scope(type="repository", name=repository, actions=frozenset({"pull"}))
    session = Session(place=place, scope=scope, credential=credential)
    found, raw, manifest = yield from _manifest(session, reference)
    index = None
    if isinstance(manifest, Index):
        index = found
        chosen = _choose(session, manifest, platform)
        found, raw, manifest = yield from _manifest(session, chosen.digest)
    if isinstance(manifest, Index):
        raise _error(session, f"the index {reference} names another index instead of an image")
    blobs = (manifest.config, *manifest.layers)
    if sum(blob.size for blob in blobs) > MAX_IMAGE:
        raise _error(session, f"the image is greater than {MAX_IMAGE} bytes; use a real client")
    contents: list[bytes] = []
    for blob in blobs:
        content = yield from _blob(session, blob)
        contents.append(content)
    image = Image(manifest=raw, media_type=found.media_type, blobs=tuple(contents))
    return Pulled(grant=session.grant, index=index, manifest=found, blobs=blobs, image=image)


def _manifest(session: Session, reference: str) -> Flow[tuple[Descriptor, bytes, Manifest | Index]]:
    request = Request(
        method="GET",
        url=session.place.url(f"{session.scope.name}/manifests/{reference}"),
        headers={"Accept": _ACCEPT},
        max_body=MAX_MANIFEST,
    )
    answer = yield from session.ask(request, f"the manifest {reference}", (200,))
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
    found = describe(answer.body, media_type)
    stated = answer.headers.get("docker-content-digest", found.digest)
    asked = reference if ":" in reference else found.digest
    if not stated == asked == found.digest:
        raise _error(session, f"the manifest {reference} is not what its digest says")
    try:
        return found, answer.body, parse_manifest(answer.body, media_type)
    except MalformedInput as error:
        raise _error(session, f"the manifest {reference}: {error}") from error


def _choose(session: Session, index: Index, platform: str) -> Descriptor:
    if not index.manifests:
        raise _error(session, "the index is empty")
    fitting = (one for one in index.manifests if one.platform == platform)
    return next(fitting, index.manifests[0])


def _blob(session: Session, blob: Descriptor) -> Flow[bytes]:
    request = Request(
        method="GET",
        url=session.place.url(f"{session.scope.name}/blobs/{blob.digest}"),
        max_body=blob.size,
    )
    answer = yield from session.ask(request, f"the blob {blob.digest}", (200,))
    if (digest_of(answer.body), len(answer.body)) != (blob.digest, blob.size):
        raise _error(session, f"the blob {blob.digest} is not what its digest and size say")
    return answer.body


def _error(session: Session, message: str) -> RegistryError:
    return RegistryError(f"registry {session.place.registry}: {message}")
