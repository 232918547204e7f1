"""Manifests, tags and lists: docker-registry 2.8.2 and the embedded registry alike."""

import pytest

from fakes.contents import (
    IMAGE,
    NOWHERE,
    both,
    code,
    get,
    index_of,
    push,
    put_manifest,
)
from fakes.registries import Registry
from pullpass.registry.manifest import MAX_MANIFEST, OCI_INDEX, OCI_MANIFEST, digest_of


def test_the_base_says_which_api_it_speaks(registry: Registry) -> None:
    answer = registry.ask("GET", "/v2/", "repository:any:pull")
    assert answer.status_code == 200
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    assert answer.json() == {}


def test_a_manifest_is_found_by_its_tag_and_by_its_digest(
    registry: Registry, repository: str
) -> None:
    push(registry, repository, "v1")
    for reference in ("v1", digest_of(IMAGE.manifest)):
        answer = get(registry, repository, f"manifests/{reference}")
        assert (answer.status_code, answer.content) == (200, IMAGE.manifest)
        assert answer.headers["content-type"] == OCI_MANIFEST
        assert answer.headers["docker-content-digest"] == digest_of(IMAGE.manifest)


def test_head_tells_the_digest_of_a_tag(registry: Registry, repository: str) -> None:
    push(registry, repository)
    path, headers = f"/v2/{repository}/manifests/latest", {"Accept": OCI_MANIFEST}
    answer = registry.ask("HEAD", path, both(repository), headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(IMAGE.manifest))
    assert answer.headers["docker-content-digest"] == digest_of(IMAGE.manifest)


def test_a_tag_names_what_was_pushed_last(registry: Registry, repository: str) -> None:
    push(registry, repository)
    second = IMAGE.manifest + b"\n"
    assert put_manifest(registry, repository, "latest", second).status_code == 201
    assert get(registry, repository, "manifests/latest").content == second
    first = get(registry, repository, f"manifests/{digest_of(IMAGE.manifest)}")
    assert first.content == IMAGE.manifest


@pytest.mark.parametrize("reference", ["nothing", NOWHERE])
def test_an_unknown_manifest_is_unknown(
    registry: Registry, repository: str, reference: str
) -> None:
    answer = get(registry, repository, f"manifests/{reference}")
    assert (answer.status_code, code(answer)) == (404, "MANIFEST_UNKNOWN")


def test_a_manifest_may_name_only_what_its_repository_holds(
    registry: Registry, repository: str
) -> None:
    answer = put_manifest(registry, repository, "latest", IMAGE.manifest)
    assert (answer.status_code, code(answer)) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert get(registry, repository, "manifests/latest").status_code == 404


def test_an_index_may_name_only_manifests_that_its_repository_holds(
    registry: Registry, repository: str
) -> None:
    push(registry, repository)
    known, unknown = (index_of(digest) for digest in (digest_of(IMAGE.manifest), NOWHERE))
    assert put_manifest(registry, repository, "all", known, OCI_INDEX).status_code == 201
    assert get(registry, repository, "manifests/all").content == known
    answer = put_manifest(registry, repository, "all", unknown, OCI_INDEX)
    assert (answer.status_code, code(answer)) == (400, "MANIFEST_BLOB_UNKNOWN")


def test_a_manifest_by_digest_must_have_that_digest(registry: Registry, repository: str) -> None:
    push(registry, repository)
    answer = put_manifest(registry, repository, NOWHERE, IMAGE.manifest)
    assert (answer.status_code, code(answer)) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", OCI_MANIFEST),
        (b"junk", OCI_MANIFEST),
        (IMAGE.manifest, "application/json"),
        (IMAGE.manifest, OCI_INDEX),
        (IMAGE.manifest + b" " * MAX_MANIFEST, OCI_MANIFEST),
    ],
    ids=["empty", "junk", "another type", "sent as an index", "too long"],
)
def test_what_is_no_manifest_is_refused(
    registry: Registry, repository: str, content: bytes, kind: str
) -> None:
    push(registry, repository)
    answer = put_manifest(registry, repository, "bad", content, kind)
    assert (answer.status_code, code(answer)) == (400, "MANIFEST_INVALID")
    assert get(registry, repository, "manifests/bad").status_code == 404


def test_tags_are_listed(registry: Registry, repository: str) -> None:
    for tag in ("v1", "v2"):
        push(registry, repository, tag)
    answer = get(registry, repository, "tags/list").json()
    assert (answer["name"], sorted(answer["tags"])) == (repository, ["v1", "v2"])


def test_a_repository_without_tags_is_unknown(registry: Registry, repository: str) -> None:
    answer = get(registry, repository, "tags/list")
    assert (answer.status_code, code(answer)) == (404, "NAME_UNKNOWN")


def test_the_catalog_names_the_repositories(registry: Registry, repository: str) -> None:
    push(registry, repository)
    answer = registry.ask("GET", "/v2/_catalog", "registry:catalog:*")
    assert answer.status_code == 200
    assert repository in answer.json()["repositories"]


@pytest.mark.parametrize(
    "path",
    [
        "/v2/A/manifests/x",
        "/v2/a..b/manifests/x",
        "/v2/_a/manifests/x",
        "/v2/a%00b/manifests/x",
        "/v2/a/manifests/.x",
        f"/v2/a/manifests/{'x' * 129}",
        "/v2/a/manifests/",
        "/v2/a/blobs/x",
        "/v2/a/nothing",
        "/v2/%2e%2e/%2e%2e/etc/manifests/x",
        "/v2/a/%2e%2e/b/blobs/uploads/x",
        "/v2/a/manifests/%2e%2e",
        "/v2/a/blobs/uploads/%2e%2e",
        f"/v2/..%2f..%2fetc/blobs/{NOWHERE}",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_path_which_is_no_end_point_answers_nothing(
    registry: Registry, method: str, path: str
) -> None:
    answer = registry.ask(method, path, "repository:a:pull,push", "repository:b:pull,push")
    assert answer.status_code in {301, 401, 404}  # Go's server redirects to the cleaned path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v2/_catalog"),
        ("POST", "/v2/{}/tags/list"),
        ("PUT", f"/v2/{{}}/blobs/{NOWHERE}"),
        ("POST", "/v2/{}/manifests/x"),
    ],
)
def test_an_operation_that_does_not_exist_is_refused(
    registry: Registry, repository: str, method: str, path: str
) -> None:
    scopes = (both(repository), "registry:catalog:*")
    answer = registry.ask(method, path.format(repository), *scopes)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
