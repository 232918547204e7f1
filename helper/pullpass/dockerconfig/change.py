"""Changes the file and its record together.

The record is written first: changes that it names and that did not come to pass are passed over.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from pullpass.dockerconfig import document, entries, file, record
from pullpass.dockerconfig.file import Held
from pullpass.dockerconfig.record import Record, record_path
from pullpass.errors import MalformedInput, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a file held and what it holds now, or would hold.

    Attributes:
        path: the file itself, behind all links.
    """

    path: Path
    before: str
    after: str


def configure(
    path: Path, hosts: Sequence[str], *, store: str, force: bool, dry_run: bool
) -> Change:
    """Lets pullpass answer for hosts in the file at path; see ``entries.configure``.

    Raises:
        MalformedInput: if the file or its record is not what it should be.
        UsageError: if another helper answers for one of them.
        FileError: if the file cannot be read or written.
    """
    with _held(path, alone=not dry_run) as (held, known):
        before = known or Record()
        if held.found is None:
            before = replace(before, created=True)
        with _named(held.path):
            after, now = entries.configure(held.text, before, hosts, store=store, force=force)
        if after != held.text and not dry_run:
            file.replace(replace(held, path=record_path(held.path)), record.render(now))
            file.replace(held, after)
        return Change(path=held.path, before=held.text, after=after)


def unconfigure(path: Path, *, dry_run: bool) -> Change:
    """Takes back what ``configure`` has done, and forgets it; see ``entries.unconfigure``.

    Raises:
        MalformedInput: if the file or its record is not what it should be.
        FileError: if the file cannot be read or written.
    """
    # Where there is no folder, none is to be made.
    with _held(path, alone=not dry_run and path.parent.exists()) as (held, known):
        with _named(held.path):
            after = entries.unconfigure(held.text, known)
            is_blank = not document.read(after)
        change = Change(path=held.path, before=held.text, after=after)
        if dry_run:
            return change
        if known and known.created and is_blank:
            file.remove(held.path)
        elif after != held.text:
            file.replace(held, after)
        if known:
            file.remove(record_path(held.path))
        return change


@contextmanager
def _held(path: Path, *, alone: bool) -> Iterator[tuple[Held, Record | None]]:
    """Gives the file that path leads to and its record, to nobody else meanwhile if alone."""
    found = file.target(path)
    with file.held_alone(found) if alone else nullcontext():
        beside = file.read(record_path(found))
        with _named(beside.path):
            known = record.parse(beside.text) if beside.found else None
        yield file.read(found), known


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Says in an error of the text which file it is."""
    try:
        yield
    except MalformedInput as error:
        raise MalformedInput(f"{path} {error}: mend it, or move it away") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
