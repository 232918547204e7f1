"""An image as bytes, and the small one that the demo pushes."""

import io
import json
import tarfile
import zlib
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from pullpass.registry.manifest import OCI_MANIFEST, Descriptor, describe

OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image: its manifest, and the contents that the manifest names.

    Attributes:
        manifest: the manifest's own bytes, which its digest is taken from.
        blobs: the configuration, then the layers, base first.
    """

    manifest: bytes = field(repr=False)
    media_type: str
    blobs: tuple[bytes, ...] = field(repr=False)

    @property
    def descriptor(self) -> Descriptor:
        """Returns the descriptor of the manifest."""
        return describe(self.manifest, self.media_type)


def tiny_image(text: str = "A pass, for one pull.\n", *, architecture: str = "amd64") -> Image:
    """Returns an OCI image of one layer with one file, ``hello.txt``. Equal texts, equal bytes.

    Args:
        text: what the file says.
        architecture: as Go names it.
    """
    archive = _archive("hello.txt", text.encode())
    layer = _gzip(archive)
    config = _json(
        {
            "architecture": architecture,
            "config": {},
            "os": "linux",
            "rootfs": {"diff_ids": [f"sha256:{sha256(archive).hexdigest()}"], "type": "layers"},
        }
    )
    manifest = {
        "config": _written(describe(config, OCI_CONFIG)),
        "layers": [_written(describe(layer, OCI_LAYER))],
        "mediaType": OCI_MANIFEST,
        "schemaVersion": 2,
    }
    return Image(manifest=_json(manifest), media_type=OCI_MANIFEST, blobs=(config, layer))


def _archive(name: str, content: bytes) -> bytes:
    # TarInfo's own defaults: time 0, owner 0, mode 0644.
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _gzip(content: bytes) -> bytes:
    # zlib writes neither name nor time into the header.
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    return packer.compress(content) + packer.flush()


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _written(descriptor: Descriptor) -> dict[str, Any]:
    return {
        "digest": descriptor.digest,
        "mediaType": descriptor.media_type,
        "size": descriptor.size,
    }
