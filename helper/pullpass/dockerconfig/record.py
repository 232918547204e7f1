"""What was changed in a file, so that it can be taken back. Holds nothing else of the file. Pure.

It stands beside the file and not in a state directory: it goes where the file goes, and where
that does not outlive a reboot, neither does this.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from pullpass.dockerconfig.document import Edit
from pullpass.errors import MalformedInput

SUFFIX: Final = ".pullpass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The changes of one file.

    Attributes:
        created: there was no file before.
        edits: every change of the text, in their order.
        helpers: the hosts that were given to pullpass, and whom they belonged to before.
        store: the ``credsStore`` that was written, empty if none was.
    """

    created: bool = False
    edits: tuple[Edit, ...] = ()
    helpers: Mapping[str, str | None] = field(default_factory=dict)
    store: str = ""


def record_path(file: Path) -> Path:
    """Returns where the record of file is."""
    return file.with_name(file.name + SUFFIX)


def render(record: Record) -> str:
    """Returns the text that ``parse`` reads."""
    return json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n"


def parse(text: str) -> Record:
    """Returns the record that text is.

    Raises:
        MalformedInput: if it is none.
    """
    try:
        return _record(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedInput("is no record of pullpass") from error


def _record(value: Any) -> Record:
    created, store = value["created"], value["store"]
    helpers = dict(value["helpers"].items())
    if type(created) is not bool or type(store) is not str:
        raise TypeError("not a flag, or no text")
    if not all(former is None or type(former) is str for former in helpers.values()):
        raise TypeError("not a helper")
    edits = tuple(_edit(item) for item in value["edits"])
    return Record(created=created, edits=edits, helpers=helpers, store=store)


def _edit(item: Any) -> Edit:
    at, removed, inserted = item["at"], item["removed"], item["inserted"]
    if (type(at), type(removed), type(inserted)) != (int, str, str) or at < 0:
        raise TypeError("not an edit")
    return Edit(at=at, removed=removed, inserted=inserted)
