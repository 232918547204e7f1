from urllib.parse import parse_qsl, urlsplit

import pytest

from fakes.scripted import Scripted
from pullpass.errors import RegistryError
from pullpass.http import Response, run
from pullpass.registry.image import tiny_image
from pullpass.registry.manifest import digest_of
from pullpass.registry.place import Place
from pullpass.registry.pusher import Pushed, push

PLACE = Place(registry="registry.example.com:5000")
IMAGE = tiny_image()
UPLOADS = PLACE.url("team/app/blobs/uploads/")
MANIFEST = ("PUT", PLACE.url("team/app/manifests/v1"))
CREATED = Response(status=201)


def registry(location: str, manifest: Response = CREATED) -> Scripted:
    started = Response(status=202, headers={"location": location})
    return Scripted(
        {("POST", UPLOADS): started, ("PUT", f"{UPLOADS}7"): CREATED, MANIFEST: manifest}
    )


def pushed(transport: Scripted) -> Pushed:
    return run(push(PLACE, "team/app", "v1", IMAGE, None), transport)


@pytest.mark.parametrize(
    ("location", "query"),
    [
        ("/v2/team/app/blobs/uploads/7", []),
        ("7", []),
        (f"{UPLOADS}7", []),
        (f"{UPLOADS}7?_state=a%3D", [("_state", "a=")]),
    ],
)
def test_an_upload_goes_where_the_registry_says(
    location: str, query: list[tuple[str, str]]
) -> None:
    transport = registry(location)
    pushed(transport)
    uploads = [request for request in transport.asked if request.url.startswith(f"{UPLOADS}7")]
    assert [request.body for request in uploads] == list(IMAGE.blobs)
    for request in uploads:
        expected = [*query, ("digest", digest_of(request.body))]
        assert parse_qsl(urlsplit(request.url).query) == expected


def test_the_manifest_comes_last_and_under_its_type() -> None:
    transport = registry("7")
    found = pushed(transport)
    last = transport.asked[-1]
    assert (last.method, last.url) == MANIFEST
    assert last.body == IMAGE.manifest
    assert last.headers["Content-Type"] == IMAGE.media_type
    assert found.manifest == IMAGE.descriptor
    assert [blob.digest for blob in found.blobs] == [digest_of(blob) for blob in IMAGE.blobs]


@pytest.mark.parametrize(
    "location",
    [
        "",
        "https://evil.example/v2/7",
        "//evil.example/v2/7",
        "http://registry.example.com:5000/v2/7",
        "https://registry.example.com/v2/7",
        "https://registry.example.com:5000@evil.example/7",
        "https://[::1/7",
    ],
)
def test_an_upload_never_leaves_the_registry(location: str) -> None:
    transport = registry(location)
    with pytest.raises(RegistryError, match="at another place than itself"):
        pushed(transport)
    assert len(transport.asked) == 1


def test_a_registry_that_stored_something_else_is_an_error() -> None:
    other = Response(status=201, headers={"docker-content-digest": digest_of(b"other")})
    with pytest.raises(RegistryError, match="stored v1 under another digest"):
        pushed(registry("7", other))


def test_a_refused_manifest_is_an_error() -> None:
    with pytest.raises(
        RegistryError, match="the push of the manifest v1: answered with status 400"
    ):
        pushed(registry("7", Response(status=400)))
