"""The smallest image that every client takes."""

import gzip
import io
import json
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

_OCI = "application/vnd.oci.image"


def tiny_image(path: Path, *contents: bytes, user: str = "") -> Path:
    """Writes an image as an OCI layout and returns its directory. Each layer has one file.

    Runtimes tell the user that it names with each list of images.

    The same content gives the same digests. skopeo takes it as ``oci:PATH``.
    https://github.com/opencontainers/image-spec/blob/v1.0.2/image-layout.md
    """
    layers = [_tar("hello", content) for content in contents or (b"hello\n",)]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/hello"], "User": user},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _add(path, f"{_OCI}.config.v1+json", _json(config)),
        "layers": [
            _add(path, f"{_OCI}.layer.v1.tar+gzip", gzip.compress(layer, mtime=0))
            for layer in layers
        ],
    }
    index = {
        "schemaVersion": 2,
        "manifests": [_add(path, f"{_OCI}.manifest.v1+json", _json(manifest))],
    }
    (path / "index.json").write_bytes(_json(index))
    (path / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return path


def _add(path: Path, media_type: str, blob: bytes) -> dict[str, Any]:
    """Stores a blob and returns its descriptor."""
    digest = _digest(blob)
    file = path / "blobs" / digest.replace(":", "/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(blob)
    return {"mediaType": media_type, "digest": digest, "size": len(blob)}


def _tar(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        entry.mode = 0o755
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _digest(blob: bytes) -> str:
    return f"sha256:{sha256(blob).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
