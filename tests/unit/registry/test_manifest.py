import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.errors import MalformedInput
from pullpass.registry.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEXES,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    describe,
    parse_manifest,
)

DIGEST = f"sha256:{'a' * 64}"
PART = {"mediaType": "x/y", "digest": DIGEST, "size": 3}
READ = Descriptor(media_type="x/y", digest=DIGEST, size=3)


def written(**members: Any) -> bytes:
    return json.dumps(members).encode()


def test_a_descriptor_names_what_it_describes() -> None:
    expected = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert describe(b"hello", "a/b") == Descriptor(media_type="a/b", digest=expected, size=5)


@pytest.mark.parametrize("media_type", MANIFESTS)
def test_a_manifest_names_a_configuration_and_layers(media_type: str) -> None:
    raw = written(schemaVersion=2, mediaType=media_type, config=PART, layers=[PART, PART])
    assert parse_manifest(raw, media_type) == Manifest(config=READ, layers=(READ, READ))


@pytest.mark.parametrize("media_type", INDEXES)
def test_an_index_names_manifests_and_their_platforms(media_type: str) -> None:
    platform = {"os": "linux", "architecture": "arm64"}
    raw = written(manifests=[{**PART, "platform": platform}, PART])
    found = parse_manifest(raw, media_type)
    assert isinstance(found, Index)
    assert [one.platform for one in found.manifests] == ["linux/arm64", ""]


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (b"", OCI_MANIFEST),
        (b"[]", OCI_MANIFEST),
        (b"[" * 100_000, OCI_MANIFEST),
        (b"\xff", OCI_MANIFEST),
        (b"{}", OCI_MANIFEST),
        (b"{}", OCI_INDEX),
        (written(config=PART, layers=[PART]), "application/json"),
        (written(config=PART, layers=[PART]), ""),
        (written(mediaType=DOCKER_MANIFEST, config=PART, layers=[]), OCI_MANIFEST),
        (written(mediaType=OCI_INDEX, manifests=[]), DOCKER_LIST),
        (written(config=PART, layers={}), OCI_MANIFEST),
        (written(config=PART), OCI_MANIFEST),
        (written(layers=[PART]), OCI_MANIFEST),
        (written(config=PART, layers=[{**PART, "digest": "sha256:aa"}]), OCI_MANIFEST),
        (written(config=PART, layers=[{**PART, "digest": f"{DIGEST}\n"}]), OCI_MANIFEST),
        (written(config=PART, layers=[{**PART, "digest": "../../etc"}]), OCI_MANIFEST),
        (written(config=PART, layers=[{**PART, "size": -1}]), OCI_MANIFEST),
        (written(config=PART, layers=[{**PART, "size": True}]), OCI_MANIFEST),
        (written(config=PART, layers=[{**PART, "size": 1.0}]), OCI_MANIFEST),
        (written(config=PART, layers=[{**PART, "size": 1 << 60}]), OCI_MANIFEST),
    ],
)
def test_anything_else_is_refused(raw: bytes, media_type: str) -> None:
    with pytest.raises(MalformedInput):
        parse_manifest(raw, media_type)


LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.just(DIGEST)
NAMES = st.sampled_from(["config", "layers", "manifests", "mediaType", "digest", "size"])
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=9
)


@given(st.binary() | DOCUMENTS.map(json.dumps).map(str.encode), st.sampled_from(MANIFESTS))
def test_any_bytes_are_a_manifest_or_malformed(raw: bytes, media_type: str) -> None:
    with suppress(MalformedInput):
        assert isinstance(parse_manifest(raw, media_type), Manifest)
