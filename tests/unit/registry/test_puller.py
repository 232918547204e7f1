import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from fakes.scripted import Answer, Scripted
from pullpass.errors import RegistryError, TransportError
from pullpass.http import Response, run
from pullpass.registry.image import Image, tiny_image
from pullpass.registry.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    describe,
    digest_of,
)
from pullpass.registry.place import Place
from pullpass.registry.puller import MAX_IMAGE, Pulled, pull

PLACE = Place(registry="registry.example.com")
AMD, ARM = tiny_image(), tiny_image(architecture="arm64")

Answers = dict[tuple[str, str], Answer]


def manifest_url(reference: str) -> tuple[str, str]:
    return "GET", PLACE.url(f"team/app/manifests/{reference}")


def blob_url(digest: str) -> tuple[str, str]:
    return "GET", PLACE.url(f"team/app/blobs/{digest}")


def manifest(raw: bytes, media_type: str = OCI_MANIFEST, **headers: str) -> Response:
    return Response(status=200, headers={"content-type": media_type, **headers}, body=raw)


def serving(*images: Image) -> Answers:
    """Returns a registry with images, the first of them tagged latest."""
    found: Answers = {manifest_url("latest"): manifest(images[0].manifest, images[0].media_type)}
    for image in images:
        found[manifest_url(image.descriptor.digest)] = manifest(image.manifest, image.media_type)
        for blob in image.blobs:
            found[blob_url(digest_of(blob))] = Response(status=200, body=blob)
    return found


def pulled(answers: Answers, reference: str = "latest", platform: str = "linux/amd64") -> Pulled:
    flow = pull(PLACE, "team/app", reference, None, platform=platform)
    return run(flow, Scripted(answers))


def index(*images: Image, media_type: str = OCI_INDEX) -> bytes:
    parts = [
        {
            "mediaType": image.media_type,
            "digest": image.descriptor.digest,
            "size": image.descriptor.size,
            "platform": {"os": "linux", "architecture": name},
        }
        for image, name in zip(images, ("amd64", "arm64"), strict=False)
    ]
    return json.dumps({"mediaType": media_type, "manifests": parts}).encode()


@pytest.mark.parametrize("reference", ["latest", AMD.descriptor.digest])
def test_a_pull_gives_the_image_and_names_its_parts(reference: str) -> None:
    found = pulled(serving(AMD), reference)
    assert found.image == AMD
    assert found.manifest == AMD.descriptor
    assert [(blob.digest, blob.size) for blob in found.blobs] == [
        (digest_of(blob), len(blob)) for blob in AMD.blobs
    ]
    assert (found.index, found.grant) == (None, None)


def test_docker_schema_2_is_a_manifest_too() -> None:
    raw = AMD.manifest.replace(OCI_MANIFEST.encode(), DOCKER_MANIFEST.encode())
    image = replace(AMD, manifest=raw, media_type=DOCKER_MANIFEST)
    assert pulled(serving(image)).image == image


def test_the_type_may_have_parameters() -> None:
    answers = serving(AMD) | {
        manifest_url("latest"): manifest(AMD.manifest, f"{OCI_MANIFEST}; a=b")
    }
    assert pulled(answers).image == AMD


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
@pytest.mark.parametrize(
    ("platform", "expected"),
    [("linux/amd64", AMD), ("linux/arm64", ARM), ("windows/amd64", AMD)],
)
def test_of_an_index_the_image_for_the_platform_is_pulled(
    media_type: str, platform: str, expected: Image
) -> None:
    raw = index(AMD, ARM, media_type=media_type)
    answers = serving(AMD, ARM) | {manifest_url("latest"): manifest(raw, media_type)}
    found = pulled(answers, platform=platform)
    assert found.image == expected
    assert found.index == describe(raw, media_type)


def test_a_manifest_must_have_the_digest_that_was_asked_for() -> None:
    answers = serving(AMD) | {manifest_url(ARM.descriptor.digest): manifest(AMD.manifest)}
    with pytest.raises(RegistryError, match="is not what its digest says"):
        pulled(answers, ARM.descriptor.digest)


def test_a_manifest_must_have_the_digest_that_the_registry_states() -> None:
    lying = manifest(AMD.manifest, **{"docker-content-digest": ARM.descriptor.digest})
    with pytest.raises(RegistryError, match="is not what its digest says"):
        pulled(serving(AMD) | {manifest_url("latest"): lying})


def test_a_manifest_of_an_index_must_have_its_digest() -> None:
    answers = serving(AMD) | {
        manifest_url("latest"): manifest(index(ARM), OCI_INDEX),
        manifest_url(ARM.descriptor.digest): manifest(AMD.manifest),
    }
    with pytest.raises(RegistryError, match="is not what its digest says"):
        pulled(answers)


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("change", [lambda blob: blob[:-1], lambda blob: b"x" + blob[1:]])
def test_a_blob_must_be_what_the_manifest_says(at: int, change: Callable[[bytes], bytes]) -> None:
    blob = AMD.blobs[at]
    changed = Response(status=200, body=change(blob))
    with pytest.raises(RegistryError, match="is not what its digest and size say"):
        pulled(serving(AMD) | {blob_url(digest_of(blob)): changed})


def test_a_blob_that_is_longer_than_it_should_be_is_not_read() -> None:
    blob = AMD.blobs[1]
    longer = Response(status=200, body=blob + b"x")
    with pytest.raises(TransportError):
        pulled(serving(AMD) | {blob_url(digest_of(blob)): longer})


def test_a_size_that_is_not_the_blobs_is_refused() -> None:
    size = b'"size":%d' % len(AMD.blobs[0])
    raw = AMD.manifest.replace(size, b'"size":9999')
    assert raw != AMD.manifest
    with pytest.raises(RegistryError, match="is not what its digest and size say"):
        pulled(serving(replace(AMD, manifest=raw)))


def test_an_image_that_is_too_big_is_not_fetched() -> None:
    raw = AMD.manifest.replace(b'"size":%d' % len(AMD.blobs[1]), b'"size":%d' % MAX_IMAGE)
    transport = Scripted(serving(replace(AMD, manifest=raw)))
    with pytest.raises(RegistryError, match="greater than"):
        run(pull(PLACE, "team/app", "latest", None), transport)
    assert len(transport.asked) == 1


@pytest.mark.parametrize(
    ("raw", "media_type", "reason"),
    [
        (b"<html>", OCI_MANIFEST, "it is not JSON"),
        (b"{}", "text/html", "of a kind that pullpass does not know"),
        (AMD.manifest, DOCKER_MANIFEST, "mediaType"),
        (index(), OCI_INDEX, "the index is empty"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_an_error(
    raw: bytes, media_type: str, reason: str
) -> None:
    with pytest.raises(RegistryError, match=f"^registry registry.example.com: .*{reason}"):
        pulled({manifest_url("latest"): manifest(raw, media_type)})


def test_an_index_of_indexes_is_an_error() -> None:
    inner = index(AMD)
    image = Image(manifest=inner, media_type=OCI_INDEX, blobs=())
    answers = serving(AMD, image) | {manifest_url("latest"): manifest(index(image), OCI_INDEX)}
    with pytest.raises(RegistryError, match="another index"):
        pulled(answers)


def test_a_redirect_is_not_followed() -> None:
    elsewhere = Response(status=307, headers={"location": "https://evil.example/blob"})
    with pytest.raises(RegistryError, match="status 307"):
        pulled(serving(AMD) | {blob_url(digest_of(AMD.blobs[1])): elsewhere})
