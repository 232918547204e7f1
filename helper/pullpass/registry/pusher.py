"""A push: what the manifest names first, then the manifest under its tag."""

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from pullpass.credential import Credential
from pullpass.errors import RegistryError
from pullpass.http import Flow, Request
from pullpass.registry.client import Grant, Session
from pullpass.registry.image import Image
from pullpass.registry.manifest import Descriptor, describe
from pullpass.registry.place import Place
from pullpass.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """An image that was pushed.

    Attributes:
        grant: how the registry's challenge was answered; None where it asked for nothing.
        manifest: the image's manifest.
        blobs: the configuration and the layers.
    """

    grant: Grant | None
    manifest: Descriptor
    blobs: tuple[Descriptor, ...]


def push(
    place: Place, repository: str, tag: str, image: Image, credential: Credential | None
) -> Flow[Pushed]:
    """Pushes image to repository and names it tag.

    Raises:
        RegistryError: if the registry does not allow it, or stored something else.
    """
    scope = Scope(type="repository", name=repository, actions=frozenset({"pull", "push"}))
    session = Session(place=place, scope=scope, credential=credential)
    blobs: list[Descriptor] = []
    for content in image.blobs:
        blob = yield from _upload(session, content)
        blobs.append(blob)
    yield from _name(session, tag, image)
    return Pushed(grant=session.grant, manifest=image.descriptor, blobs=tuple(blobs))


def _upload(session: Session, content: bytes) -> Flow[Descriptor]:
    """Uploads content as one piece (distribution specification, «POST then PUT»)."""
    blob = describe(content, "application/octet-stream")
    what = f"the upload of the blob {blob.digest}"
    start = Request(method="POST", url=session.place.url(f"{session.scope.name}/blobs/uploads/"))
    answer = yield from session.ask(start, what, (202,))
    request = Request(
        method="PUT",
        url=_upload_url(session, start.url, answer.headers.get("location", ""), blob.digest),
        headers={"Content-Type": blob.media_type},
        body=content,
    )
    yield from session.ask(request, what, (201,))
    return blob


def _upload_url(session: Session, asked: str, location: str, digest: str) -> str:
    # The token and the content go where the registry itself is and nowhere else.
    try:
        url = urljoin(asked, location)
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if not location or f"{parts.scheme}://{parts.netloc}" != session.place.origin:
        raise RegistryError(
            f"registry {session.place.registry}: it wants the upload at another place than itself; "
            "mend the address by which it names itself"
        )
    return f"{parts.geturl()}{'&' if parts.query else '?'}digest={digest}"


def _name(session: Session, tag: str, image: Image) -> Flow[None]:
    request = Request(
        method="PUT",
        url=session.place.url(f"{session.scope.name}/manifests/{tag}"),
        headers={"Content-Type": image.media_type},
        body=image.manifest,
    )
    answer = yield from session.ask(request, f"the push of the manifest {tag}", (201,))
    digest = image.descriptor.digest
    if answer.headers.get("docker-content-digest", digest) != digest:
        raise RegistryError(
            f"registry {session.place.registry}: it stored {tag} under another digest"
        )
