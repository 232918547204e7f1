from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.registry.embedded.paths import Kind, Target, parse_target, wanted

DIGEST = f"sha256:{'a' * 64}"
UPLOAD = "0" * 32


@pytest.mark.parametrize(
    ("path", "kind", "repository", "reference"),
    [
        ("/v2", Kind.BASE, "", ""),
        ("/v2/", Kind.BASE, "", ""),
        ("/v2/_catalog", Kind.CATALOG, "", ""),
        ("/v2/a/tags/list", Kind.TAGS, "a", ""),
        ("/v2/a/b/manifests/v1.0", Kind.MANIFEST, "a/b", "v1.0"),
        ("/v2/a/b/manifests/" + "x" * 128, Kind.MANIFEST, "a/b", "x" * 128),
        (f"/v2/a/manifests/{DIGEST}", Kind.MANIFEST, "a", DIGEST),
        (f"/v2/a/blobs/{DIGEST}", Kind.BLOB, "a", DIGEST),
        ("/v2/a/blobs/uploads/", Kind.UPLOADS, "a", ""),
        (f"/v2/a/blobs/uploads/{UPLOAD}", Kind.UPLOAD, "a", UPLOAD),
        ("/v2/a/manifests/manifests/x", Kind.MANIFEST, "a/manifests", "x"),
        ("/v2/a/blobs/uploads/tags/list", Kind.TAGS, "a/blobs/uploads", ""),
    ],
)
def test_a_path_names_an_end_point(path: str, kind: Kind, repository: str, reference: str) -> None:
    assert parse_target(path) == Target(kind=kind, repository=repository, reference=reference)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1/",
        "/v2/_catalog/",
        "/v2/manifests/x",
        "/v2/../manifests/x",
        "/v2/a/../b/manifests/x",
        "/v2//manifests/x",
        "/v2/a//b/manifests/x",
        "/v2/A/manifests/x",
        "/v2/a\n/manifests/x",
        "/v2/a/manifests/x\n",
        "/v2/a/manifests/..",
        "/v2/a/manifests/.x",
        "/v2/a/manifests/é",
        "/v2/a/manifests/" + "x" * 129,
        f"/v2/../blobs/{DIGEST}",
        f"/v2/a/../b/blobs/uploads/{UPLOAD}",
        "/v2/_a/blobs/uploads/",
        "/v2/A/tags/list",
        "/v2/a/blobs/x",
        "/v2/a/blobs/uploads",
        "/v2/a/blobs/uploads/..",
        f"/v2/a/blobs/uploads/{UPLOAD}/",
        "/v2/" + "a" * 256 + "/manifests/x",
    ],
)
def test_anything_else_is_no_end_point(path: str) -> None:
    assert parse_target(path) is None


WORDS = st.sampled_from(["", "..", ".", "a", "b", "_tags", "~a", "%2e", "\0", "\\", "blobs", "x:y"])
TAILS = st.sampled_from(
    ["tags/list", "manifests/x", "manifests/..", f"blobs/{DIGEST}", "blobs/uploads/"]
)
PATHS = st.builds(
    lambda words, tail: f"/v2/{'/'.join(words)}/{tail}", st.lists(WORDS, max_size=5), TAILS
)


@given(st.text() | PATHS)
def test_no_target_leaves_its_directory(path: str) -> None:
    target = parse_target(path)
    if target is not None:
        parts = PurePosixPath(target.repository, target.reference).parts
        assert not {"..", "/"} & set(parts)
        assert not any(part.startswith("_") for part in PurePosixPath(target.repository).parts)
        assert "\0" not in path


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("GET", "repository:a/b:pull"),
        ("HEAD", "repository:a/b:pull"),
        ("PUT", "repository:a/b:pull,push"),
        ("DELETE", "repository:a/b:delete"),
    ],
)
def test_what_a_token_must_allow_depends_on_the_method(method: str, expected: str) -> None:
    target = Target(kind=Kind.MANIFEST, repository="a/b", reference="x")
    assert [str(scope) for scope in wanted(target, method, {})] == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [("c", ["repository:a:pull,push", "repository:c:pull"]), ('c"', ["repository:a:pull,push"])],
)
def test_a_mount_also_pulls(source: str, expected: list[str]) -> None:
    target = Target(kind=Kind.UPLOADS, repository="a")
    found = wanted(target, "POST", {"mount": DIGEST, "from": source})
    assert [str(scope) for scope in found] == expected
