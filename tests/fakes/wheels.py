"""Wheels of what is installed here, from which pip installs without a network."""

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def wheels(names: Iterable[str], directory: Path) -> Path:
    """Writes a wheel of each distribution of names, and of all that they need, to directory."""
    directory.mkdir()
    todo, seen = list(names), set[str]()
    while todo:
        name = canonicalize_name(todo.pop())
        if name in seen:
            continue
        seen.add(name)
        found = distribution(name)
        _write(found, directory)
        todo += needs(found)
    return directory


def needs(found: Distribution) -> Iterator[str]:
    """Yields the names of what a distribution needs without any extra."""
    for line in found.requires or []:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            yield wanted.name


def _write(found: Distribution, directory: Path) -> None:
    described = (found.read_text("WHEEL") or "").splitlines()
    tag = [line.removeprefix("Tag: ") for line in described if line.startswith("Tag: ")][-1]
    name = canonicalize_name(found.name).replace("-", "_")
    with ZipFile(directory / f"{name}-{found.version}-{tag}.whl", "w") as archive:
        for file in found.files or []:
            # Scripts lie beside the library and are made again; pip's own notes are of this host.
            if ".." not in file.parts and file.suffix != ".pyc" and file.name != "INSTALLER":
                archive.write(file.locate(), str(file))
