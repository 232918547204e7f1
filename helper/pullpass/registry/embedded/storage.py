"""Contents on a disk, each under its digest, and for each repository which of them it holds.

    contents/<hex>                          every blob and manifest, once
    repositories/<repository>/_blobs/<hex>      empty: the repository holds this blob
    repositories/<repository>/_manifests/<hex>  the media type of a manifest that it holds
    repositories/<repository>/_tags/<tag>       the digest that the tag names
    repositories/<repository>/_uploads/<name>   a blob on its way in

No word of a repository's name begins with an underscore, so names and folders never meet. A file
appears whole or not at all. Only sound names come here: ``paths`` and ``is_digest`` see to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from secrets import token_hex

from pullpass.registry.manifest import digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A registry's contents below root."""

    root: Path

    def repositories(self) -> Iterator[str]:
        """Yields the repositories that hold something, in order."""
        base = self.root / "repositories"
        for folder in sorted(base.rglob("_blobs")):
            yield folder.parent.relative_to(base).as_posix()

    def repository(self, name: str) -> "Repository":
        """Returns the repository name, which need not exist yet."""
        return Repository(contents=self.root / "contents", home=self.root / "repositories" / name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One repository: what is in it, and what is on its way in.

    Attributes:
        contents: the folder that all repositories share.
        home: the repository's own.
    """

    contents: Path
    home: Path

    def blob(self, digest: str) -> Path | None:
        """Returns where the blob digest lies, None if the repository does not hold it."""
        return self._content(digest) if self._link("_blobs", digest).exists() else None

    def manifest(self, reference: str) -> tuple[Path, str, str] | None:
        """Returns where the manifest that a tag or digest names lies, its digest and media type."""
        digest = reference if ":" in reference else _read(self.home / "_tags" / reference)
        media_type = _read(self._link("_manifests", digest)) if digest else ""
        return (self._content(digest), digest, media_type) if media_type else None

    def tags(self) -> list[str] | None:
        """Returns the tags in order, None if nothing was ever tagged."""
        folder = self.home / "_tags"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else None

    def mount(self, digest: str, source: "Repository") -> bool:
        """Takes a blob that source holds. Returns whether it does."""
        if source.blob(digest) is None:
            return False
        _write(self._link("_blobs", digest), b"")
        return True

    def put_manifest(self, content: bytes, media_type: str, tag: str = "") -> str:
        """Keeps a manifest and returns its digest; if there is a tag, it names it from now on."""
        digest = digest_of(content)
        _write(self._content(digest), content)
        _write(self._link("_manifests", digest), media_type.encode())
        if tag:
            _write(self.home / "_tags" / tag, digest.encode())
        return digest

    def start_upload(self) -> Path:
        """Returns an empty file for a blob on its way in; its name is the upload's."""
        path = self.home / "_uploads" / token_hex(16)
        _write(path, b"")
        return path

    def upload(self, name: str) -> Path | None:
        """Returns the file of an upload that was started and not finished."""
        path = self.home / "_uploads" / name
        return path if path.exists() else None

    def finish_upload(self, path: Path, digest: str) -> bool:
        """Keeps an upload as the blob digest. If it is something else, it is thrown away."""
        with path.open("rb") as file:
            found = f"sha256:{file_digest(file, 'sha256').hexdigest()}"
        if found != digest:
            path.unlink()
            return False
        self.contents.mkdir(parents=True, exist_ok=True)
        path.replace(self._content(digest))
        _write(self._link("_blobs", digest), b"")
        return True

    def _content(self, digest: str) -> Path:
        return self.contents / digest.removeprefix("sha256:")

    def _link(self, folder: str, digest: str) -> Path:
        return self.home / folder / digest.removeprefix("sha256:")


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, so that a half-written file is never listed; no name of ours has a «~».
    draft = path.parent.parent / f"~{token_hex(16)}"
    draft.write_bytes(content)
    draft.replace(path)
