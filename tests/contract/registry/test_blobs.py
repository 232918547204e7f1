"""Blobs and uploads: docker-registry 2.8.2 and the embedded registry alike."""

import pytest

from fakes.contents import (
    NO_UPLOAD,
    NOWHERE,
    both,
    code,
    finish,
    get,
    start,
    upload,
)
from fakes.registries import Registry
from pullpass.registry.manifest import digest_of


def test_a_blob_comes_back_as_it_was_uploaded(registry: Registry, repository: str) -> None:
    upload(registry, repository, b"hello")
    answer = get(registry, repository, f"blobs/{digest_of(b'hello')}")
    assert (answer.status_code, answer.content) == (200, b"hello")
    assert answer.headers["docker-content-digest"] == digest_of(b"hello")


def test_an_empty_blob_is_a_blob(registry: Registry, repository: str) -> None:
    upload(registry, repository, b"")
    answer = get(registry, repository, f"blobs/{digest_of(b'')}")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_range_of_a_blob_can_be_had(registry: Registry, repository: str) -> None:
    upload(registry, repository, b"hello")
    answer = get(registry, repository, f"blobs/{digest_of(b'hello')}", Range="bytes=1-2")
    assert (answer.status_code, answer.content) == (206, b"el")
    assert answer.headers["content-range"] == "bytes 1-2/5"


def test_head_tells_the_size_and_the_digest_of_a_blob(registry: Registry, repository: str) -> None:
    upload(registry, repository, b"hello")
    path = f"/v2/{repository}/blobs/{digest_of(b'hello')}"
    answer = registry.ask("HEAD", path, both(repository))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "5"
    assert answer.headers["docker-content-digest"] == digest_of(b"hello")


def test_a_blob_is_unknown_to_the_repositories_that_do_not_hold_it(
    registry: Registry, repository: str
) -> None:
    upload(registry, repository, b"held by one")
    answer = get(registry, f"{repository}/other", f"blobs/{digest_of(b'held by one')}")
    assert (answer.status_code, code(answer)) == (404, "BLOB_UNKNOWN")


def test_a_blob_arrives_in_parts(registry: Registry, repository: str) -> None:
    url = start(registry, repository)
    for part, arrived in ((b"he", "0-1"), (b"ll", "0-3")):
        answer = registry.ask("PATCH", url, both(repository), content=part)
        assert (answer.status_code, answer.headers["range"]) == (202, arrived)
        url = registry.location(answer)
    answer = registry.ask("GET", url, both(repository))
    assert (answer.status_code, answer.headers["range"]) == (204, "0-3")
    assert finish(registry, repository, url, digest_of(b"hello"), b"o").status_code == 201
    assert get(registry, repository, f"blobs/{digest_of(b'hello')}").content == b"hello"


def test_an_upload_ends_when_it_is_finished(registry: Registry, repository: str) -> None:
    url = start(registry, repository)
    assert finish(registry, repository, url, digest_of(b"once"), b"once").status_code == 201
    answer = finish(registry, repository, url, digest_of(b"once"), b"once")
    assert answer.status_code == 404
    assert code(answer) in NO_UPLOAD


def test_an_upload_which_is_not_what_its_digest_says_is_thrown_away(
    registry: Registry, repository: str
) -> None:
    url = start(registry, repository)
    answer = finish(registry, repository, url, digest_of(b"this"), b"that")
    assert (answer.status_code, code(answer)) == (400, "DIGEST_INVALID")
    answer = registry.ask("GET", url, both(repository))
    assert answer.status_code == 404
    assert code(answer) in NO_UPLOAD
    answer = get(registry, repository, f"blobs/{digest_of(b'this')}")
    assert (answer.status_code, code(answer)) == (404, "BLOB_UNKNOWN")


@pytest.mark.parametrize("digest", ["", "sha256:aa", "sha999:" + "a" * 64, "sha256:" + "g" * 64])
def test_an_upload_needs_a_digest(registry: Registry, repository: str, digest: str) -> None:
    url = start(registry, repository)
    answer = finish(registry, repository, url, digest, b"hello")
    assert (answer.status_code, code(answer)) == (400, "DIGEST_INVALID")
    assert finish(registry, repository, url, digest_of(b"hello"), b"hello").status_code == 201


def test_an_upload_belongs_to_its_repository(registry: Registry, repository: str) -> None:
    url = start(registry, repository)
    elsewhere = url.replace(f"/{repository}/", f"/{repository}/other/")
    answer = finish(registry, f"{repository}/other", elsewhere, digest_of(b"x"), b"x")
    assert answer.status_code in {400, 404}
    assert code(answer) in NO_UPLOAD


def test_a_post_with_a_digest_stores_the_blob_or_opens_an_upload(
    registry: Registry, repository: str
) -> None:
    path = f"/v2/{repository}/blobs/uploads/?digest={digest_of(b'hello')}"
    answer = registry.ask("POST", path, both(repository), content=b"hello")
    if answer.status_code == 202:
        url = registry.location(answer)
        answer = finish(registry, repository, url, digest_of(b"hello"), b"hello")
    assert answer.status_code == 201
    assert get(registry, repository, f"blobs/{digest_of(b'hello')}").content == b"hello"


def test_a_blob_is_mounted_from_a_repository_that_holds_it(
    registry: Registry, repository: str
) -> None:
    upload(registry, repository, b"shared")
    other, digest = f"{repository}/other", digest_of(b"shared")
    path = f"/v2/{other}/blobs/uploads/?mount={digest}&from={repository}"
    answer = registry.ask("POST", path, both(other), f"repository:{repository}:pull")
    assert answer.status_code == 201
    assert answer.headers["docker-content-digest"] == digest
    assert get(registry, other, f"blobs/{digest}").content == b"shared"


def test_a_mount_needs_leave_to_pull_from_the_other_repository(
    registry: Registry, repository: str
) -> None:
    upload(registry, repository, b"shared")
    other = f"{repository}/other"
    path = f"/v2/{other}/blobs/uploads/?mount={digest_of(b'shared')}&from={repository}"
    answer = registry.ask("POST", path, both(other))
    assert answer.status_code == 401
    assert f"repository:{repository}:pull" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("query", [f"mount={NOWHERE}&from=team/empty", "mount=x&from=team/empty"])
def test_what_cannot_be_mounted_is_uploaded(
    registry: Registry, repository: str, query: str
) -> None:
    path = f"/v2/{repository}/blobs/uploads/?{query}"
    answer = registry.ask("POST", path, both(repository), "repository:team/empty:pull")
    assert answer.status_code == 202


def test_an_unknown_blob_is_unknown(registry: Registry, repository: str) -> None:
    answer = get(registry, repository, f"blobs/{NOWHERE}")
    assert (answer.status_code, code(answer)) == (404, "BLOB_UNKNOWN")


def test_a_blob_of_a_malformed_digest_is_refused(registry: Registry, repository: str) -> None:
    answer = get(registry, repository, "blobs/sha256:aa")
    assert (answer.status_code, code(answer)) == (400, "DIGEST_INVALID")
