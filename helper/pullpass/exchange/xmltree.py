"""XML answers as the plain values that paths walk through. No document type, so no entities."""

from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from xml.parsers import expat

from pullpass.errors import MalformedInput

MAX_DEPTH: Final = 32  # elements, one in the other; AWS has five


@dataclass(slots=True)
class _Element:
    children: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def value(self) -> Any:
        return self.children or "".join(self.texts).strip()


@dataclass(slots=True)
class _Reader:
    """What expat calls. The first element stands for the document, the others are open."""

    open: list[_Element] = field(default_factory=lambda: [_Element()])

    def start(self, _name: str, _attributes: object) -> None:
        if len(self.open) > MAX_DEPTH:
            raise MalformedInput("nested too deeply")
        self.open.append(_Element())

    def text(self, text: str) -> None:
        self.open[-1].texts.append(text)

    def end(self, name: str) -> None:
        value, siblings = self.open.pop().value(), self.open[-1].children
        if isinstance(others := siblings.get(name), list):
            others.append(value)
        else:
            siblings[name] = value if others is None else [others, value]


def read_xml(raw: bytes) -> Any:
    """Returns what the document's element holds: text, or its elements by their names.

    Elements of one name become a list. Attributes are left out.

    Raises:
        MalformedInput: if raw is no XML in UTF-8, or has a document type.
    """
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(raw, True)  # noqa: FBT003 - expat's own, without names
    except expat.ExpatError as error:
        raise MalformedInput("not XML") from error
    (value,) = reader.open[0].children.values()
    return value


def _refuse(*_: object) -> NoReturn:
    raise MalformedInput("a document type")
