"""JSON text of which one member is changed while every other byte stays. Pure.

Each change is an ``Edit``, a place and what stood and stands there, so that it can be taken back
without a copy of the text: these files hold passwords.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from pullpass.errors import MalformedInput

TAB: Final = "\t"  # what Docker indents with
_BLANK: Final = " \t\r\n"  # the white space of JSON
_SPACE: Final = re.compile(f"[{_BLANK}]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change: at a place of the text before it, inserted takes the place of removed."""

    at: int
    removed: str
    inserted: str

    def apply(self, text: str) -> str:
        """Returns text with the change."""
        return text[: self.at] + self.inserted + text[self.at + len(self.removed) :]

    def revert(self, text: str) -> str | None:
        """Returns text without the change, None where what was inserted is not there."""
        if not text.startswith(self.inserted, self.at):
            return None
        return text[: self.at] + self.removed + text[self.at + len(self.inserted) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Where a member of an object stands: key from start to colon, value from value to end."""

    key: str
    start: int
    colon: int
    value: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Braces:
    """Where an object stands: its braces and the members between them."""

    opened: int
    closed: int
    members: tuple[Member, ...]


def read(text: str) -> dict[str, Any]:
    """Returns the object that text is; blank text is an empty one, as Docker reads it.

    Raises:
        MalformedInput: for any other text.
    """
    try:
        value = json.loads(text, parse_constant=_refuse) if text.strip(_BLANK) else {}
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise MalformedInput(f"is not JSON{where}") from error
    if not isinstance(value, dict):
        raise MalformedInput("holds no JSON object")
    return value


def begin(text: str) -> Edit:
    """Returns the change that makes a blank text an object without members."""
    return Edit(at=0, removed=text, inserted="{}")


def put(text: str, path: tuple[str, ...], value: object) -> Edit:
    """Returns the change that gives the member at path this value; all above it must be there."""
    *above, key = path
    inside = _descend(text, above)
    written = json.dumps(value, ensure_ascii=False)
    for member in reversed(inside.members):
        if member.key == key:  # the last of its name is the one that counts
            removed = text[member.value : member.end]
            return Edit(at=member.value, removed=removed, inserted=written)
    quoted = json.dumps(key, ensure_ascii=False)
    if inside.members:
        return _append(text, inside, quoted, written)
    return _fill(text, inside, len(path), quoted, written)


def drop(text: str, path: tuple[str, ...]) -> str:
    """Returns text without the member at path, however often it stands there."""
    *above, key = path
    while True:
        inside = _descend(text, above)
        keys = [member.key for member in inside.members]
        if key not in keys:
            return text
        at = keys.index(key)
        start, end = _extent(inside, at)
        text = text[:start] + text[end:]


def span(text: str, key: str) -> tuple[int, int] | None:
    """Returns where the value of the outermost member key stands, None if there is none."""
    for member in reversed(_descend(text, ()).members):
        if member.key == key:
            return member.value, member.end
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _descend(text: str, path: tuple[str, ...] | list[str]) -> Braces:
    inside = _braces(text, _after_space(text, 0))
    for name in path:
        found = [member.value for member in inside.members if member.key == name]
        inside = _braces(text, found[-1])
    return inside


def _braces(text: str, opened: int) -> Braces:
    """Reads the object at opened; ``read`` has seen that the text is right."""
    members = tuple(_members(text, opened))
    after = members[-1].end if members else opened + 1
    return Braces(opened=opened, closed=_after_space(text, after), members=members)


def _members(text: str, opened: int) -> Iterator[Member]:
    decoder = json.JSONDecoder()
    at = _after_space(text, opened + 1)
    while text[at] != "}":
        start = at
        key, colon = decoder.raw_decode(text, start)
        value = _after_space(text, _after_space(text, colon) + 1)
        _, end = decoder.raw_decode(text, value)
        yield Member(key=key, start=start, colon=colon, value=value, end=end)
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _append(text: str, inside: Braces, key: str, value: str) -> Edit:
    """Writes a member behind the last one, and like it."""
    last = inside.members[-1]
    colon = text[last.colon : last.value]
    lead = _space_before(text, last.start)
    if not lead and colon.endswith(" "):
        lead = " "
    return Edit(at=last.end, removed="", inserted=f",{lead}{key}{colon}{value}")


def _fill(text: str, inside: Braces, depth: int, key: str, value: str) -> Edit:
    """Writes the first member: on a line of its own, unless the document is a single line."""
    removed = text[inside.opened + 1 : inside.closed]
    outer = _descend(text, ())
    newline = "\r\n" if "\r\n" in text else "\n"
    inserted = f"{key}: {value}"
    if not outer.members or "\n" in text[outer.opened : outer.closed]:
        unit = _unit(text, outer)
        inserted = f"{newline}{unit * depth}{inserted}{newline}{unit * (depth - 1)}"
    return Edit(at=inside.opened + 1, removed=removed, inserted=inserted)


def _unit(text: str, outer: Braces) -> str:
    """Returns what the document indents its members with."""
    space = _space_before(text, outer.members[0].start) if outer.members else ""
    return space.rpartition("\n")[2] if "\n" in space else TAB


def _space_before(text: str, at: int) -> str:
    return text[len(text[:at].rstrip(_BLANK)) : at]


def _extent(inside: Braces, at: int) -> tuple[int, int]:
    """Returns from where to where the member at this position must go, its comma included."""
    members = inside.members
    if at:
        return members[at - 1].end, members[at].end
    if len(members) > 1:
        return members[0].start, members[1].start
    return inside.opened + 1, inside.closed
