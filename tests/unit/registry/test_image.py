import gzip
import io
import json
import tarfile

from pullpass.registry.image import tiny_image
from pullpass.registry.manifest import Manifest, describe, digest_of, parse_manifest


def test_the_same_text_gives_the_same_bytes() -> None:
    assert tiny_image("hello") == tiny_image("hello")
    assert tiny_image("hello").descriptor.digest != tiny_image("other").descriptor.digest


def test_the_manifest_names_the_configuration_and_the_layer() -> None:
    image = tiny_image()
    manifest = parse_manifest(image.manifest, image.media_type)
    assert isinstance(manifest, Manifest)
    parts = (manifest.config, *manifest.layers)
    assert parts == tuple(
        describe(blob, part.media_type) for blob, part in zip(image.blobs, parts, strict=True)
    )


def test_the_layer_holds_one_file_with_the_text() -> None:
    config, layer = tiny_image("hello", architecture="arm64").blobs
    archive = gzip.decompress(layer)
    with tarfile.open(fileobj=io.BytesIO(archive)) as found:
        (entry,) = found.getmembers()
        file = found.extractfile(entry)
        assert file is not None
        assert (entry.name, file.read(), entry.mtime, entry.uid) == ("hello.txt", b"hello", 0, 0)
    written = json.loads(config)
    assert written["rootfs"]["diff_ids"] == [digest_of(archive)]
    assert written["architecture"] == "arm64"
