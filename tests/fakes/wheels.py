"""Wheels of what is installed here, from which pip installs without a network."""

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def wheels(wanted: Iterable[Requirement], directory: Path) -> Path:
    """Writes a wheel of each that is wanted, and of all that they need, to directory."""
    directory.mkdir()
    todo, seen = list(wanted), set[str]()
    while todo:
        one = todo.pop()
        if str(one) in seen:
            continue
        seen.add(str(one))
        found = distribution(canonicalize_name(one.name))
        _write(found, directory)
        todo += needs(found, one.extras)
    return directory


def needs(found: Distribution, extras: Iterable[str] = ()) -> Iterator[Requirement]:
    """Yields what a distribution needs, and what these extras of it do."""
    for line in found.requires or []:
        wanted = Requirement(line)
        marker = wanted.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield wanted


def _write(found: Distribution, directory: Path) -> None:
    described = (found.read_text("WHEEL") or "").splitlines()
    tag = [line.removeprefix("Tag: ") for line in described if line.startswith("Tag: ")][-1]
    name = canonicalize_name(found.name).replace("-", "_")
    with ZipFile(directory / f"{name}-{found.version}-{tag}.whl", "w") as archive:
        for file in found.files or []:
            # Scripts lie beside the library and are made again; pip's own notes are of this host.
            if ".." not in file.parts and file.suffix != ".pyc" and file.name != "INSTALLER":
                archive.write(file.locate(), str(file))
