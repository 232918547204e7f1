from pathlib import Path

import pytest

from pullpass.registry.embedded.storage import Repository, Storage
from pullpass.registry.manifest import OCI_MANIFEST, digest_of


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(root=tmp_path)


def uploaded(repository: Repository, content: bytes) -> str:
    path = repository.start_upload()
    path.write_bytes(content)
    assert repository.finish_upload(path, digest_of(content))
    return digest_of(content)


def test_equal_contents_are_kept_once(storage: Storage) -> None:
    for name in ("a", "a/b"):
        digest = uploaded(storage.repository(name), b"hello")
        found = storage.repository(name).blob(digest)
        assert found is not None
        assert found.read_bytes() == b"hello"
    assert len(list((storage.root / "contents").iterdir())) == 1


def test_a_manifest_is_no_blob_and_a_blob_no_manifest(storage: Storage) -> None:
    repository = storage.repository("a")
    manifest = repository.put_manifest(b"{}", OCI_MANIFEST)
    blob = uploaded(repository, b"hello")
    assert repository.blob(manifest) is None
    assert repository.manifest(blob) is None


def test_a_repository_below_another_is_another(storage: Storage) -> None:
    storage.repository("a").put_manifest(b"{}", OCI_MANIFEST, "b")
    assert storage.repository("a/b").tags() is None
    assert storage.repository("a").tags() == ["b"]


def test_nothing_half_written_is_left_behind(storage: Storage) -> None:
    repository = storage.repository("a")
    uploaded(repository, b"hello")
    path = repository.start_upload()
    assert not repository.finish_upload(path, digest_of(b"other"))
    repository.put_manifest(b"{}", OCI_MANIFEST, "latest")
    files = [path for path in storage.root.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} == {"contents", "_blobs", "_manifests", "_tags"}
    assert list(storage.repositories()) == ["a"]


def test_an_empty_registry_has_no_repositories(storage: Storage) -> None:
    assert list(storage.repositories()) == []
    assert storage.repository("a").manifest("latest") is None
