"""Manifests and descriptors: what an image consists of, each part named by its digest.

OCI image specification 1.1, and Docker's schema 2 which it grew from.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, cast

from pullpass.errors import MalformedInput

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS: Final = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES: Final = (OCI_INDEX, DOCKER_LIST)
MAX_MANIFEST: Final = 4 << 20  # bytes; the distribution specification asks registries for this much
_MAX_SIZE: Final = 1 << 53  # bytes; the greatest size which every JSON reader keeps exactly
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """Names some content (OCI image specification, descriptor.md).

    Attributes:
        digest: ``sha256:`` and 64 hexadecimal digits.
        size: bytes.
        platform: ``os/architecture``, empty where nobody said.
    """

    media_type: str
    digest: str
    size: int
    platform: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One image: its configuration and its layers, base first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Several images under one name, mostly one for each platform."""

    manifests: tuple[Descriptor, ...]


def digest_of(content: bytes) -> str:
    """Returns the digest of content."""
    return f"sha256:{sha256(content).hexdigest()}"


def is_digest(text: str) -> bool:
    """Tells whether text is a digest that pullpass can verify."""
    return _DIGEST.fullmatch(text) is not None


def describe(content: bytes, media_type: str) -> Descriptor:
    """Returns the descriptor of content."""
    return Descriptor(media_type=media_type, digest=digest_of(content), size=len(content))


def parse_manifest(raw: bytes, media_type: str) -> Manifest | Index:
    """Reads a manifest that was sent as media_type.

    Raises:
        MalformedInput: if it is not one, or says of itself that it is something else.
    """
    document = read_object(raw)
    if document.get("mediaType", media_type) != media_type:
        raise MalformedInput("the manifest's mediaType is not the one it was sent as")
    if media_type in INDEXES:
        return Index(manifests=_descriptors(document, "manifests"))
    if media_type in MANIFESTS:
        config = _descriptor(document.get("config"))
        return Manifest(config=config, layers=_descriptors(document, "layers"))
    raise MalformedInput("the manifest is of a kind that pullpass does not know")


def read_object(raw: bytes) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        MalformedInput: for anything else.
    """
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedInput("it is not JSON") from error
    if not isinstance(value, dict):
        raise MalformedInput("it is not a JSON object")
    return cast("dict[str, Any]", value)


def _descriptors(document: Mapping[str, Any], name: str) -> tuple[Descriptor, ...]:
    values = document.get(name)
    if not isinstance(values, list):
        raise MalformedInput(f"the manifest's {name} is not a list")
    return tuple(_descriptor(value) for value in values)


def _descriptor(value: Any) -> Descriptor:
    match value:
        case {"mediaType": str(media_type), "digest": str(digest), "size": int(size)} if (
            is_digest(digest) and type(size) is int and 0 <= size < _MAX_SIZE
        ):
            platform = _platform(value.get("platform"))
            return Descriptor(media_type=media_type, digest=digest, size=size, platform=platform)
        case _:
            raise MalformedInput("the manifest holds a descriptor without type, digest or size")


def _platform(value: Any) -> str:
    match value:
        case {"os": str(system), "architecture": str(architecture)}:
            return f"{system}/{architecture}"
        case _:
            return ""
