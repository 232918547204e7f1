"""Templates: ``{name}``, ``{step.output}`` and ``{name?}``, and nothing else.

``{name?}`` may be absent; what it stands in is then left out. There are no conditions, functions,
escapes or environment, so that a spec can be read as what it is: data.

Parsing knows nothing of values, and rendering knows nothing of braces. A value is encoded for the
place where it stands, so it can never reach beyond it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import Final
from urllib.parse import quote

from pullpass.errors import ConfigError, MalformedInput
from pullpass.secret import Secret

_NAME: Final = r"[A-Za-z][A-Za-z0-9_]*"
_HOLE: Final = re.compile(rf"\{{({_NAME}(?:\.{_NAME})?)(\??)\}}", re.ASCII)
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?")
_PORTS: Final = range(1, 1 << 16)
_MAX_HOST: Final = 253  # characters, RFC 1035 §2.3.4 without the root's dot

Values = Mapping[str, str | Secret]
Encode = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A place in a template which a value fills.

    Attributes:
        name: a parameter, or ``step.output``.
        optional: whether the value may be absent.
    """

    name: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Text with holes."""

    parts: tuple[str | Hole, ...]

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Returns the holes in their order."""
        return tuple(part for part in self.parts if isinstance(part, Hole))


def is_name(text: str) -> bool:
    """Tells whether text can name a step, an output or a parameter."""
    return re.fullmatch(_NAME, text, re.ASCII) is not None


def parse_template(text: str, key: str = "") -> Template:
    """Returns text as a template.

    Raises:
        ConfigError: for a brace that is not part of a hole; it names key.
    """
    parts: list[str | Hole] = []
    end = 0
    for found in _HOLE.finditer(text):
        parts += [text[end : found.start()], Hole(name=found[1], optional=bool(found[2]))]
        end = found.end()
    parts.append(text[end:])
    if any(brace in part for part in parts if isinstance(part, str) for brace in "{}"):
        raise ConfigError("a template knows {name}, {step.output} and {name?} only", key=key)
    return Template(parts=tuple(part for part in parts if part))


def render(template: Template, values: Values, encode: Encode | None = None) -> str | None:
    """Returns the template's text, or None where a value is absent.

    Args:
        template: what to fill.
        values: by the names of the holes.
        encode: makes a value safe for the place where it stands; ``plain`` unless told.

    Raises:
        MalformedInput: if a value cannot stand there; the message does not hold the value.
    """
    texts: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            texts.append(part)
        elif (value := values.get(part.name)) is None:
            return None
        else:
            texts.append(_encoded(part, value, encode or plain))
    return "".join(texts)


def plain(value: str) -> str:
    """Returns value as it is: for JSON, forms and queries, which are encoded as a whole.

    Raises:
        MalformedInput: if value is not one line of printable characters.
    """
    if not value.isprintable():
        raise MalformedInput("is not one line of printable characters")
    return value


def path_segment(value: str) -> str:
    """Returns value percent-encoded (RFC 3986 §3.3), so that it stays within a segment."""
    return quote(plain(value), safe="@")  # of the others that may stand there some mean more


def path_segments(value: str) -> str:
    """Returns value, segments between slashes, encoded one by one."""
    return "/".join(whole_segment(path_segment(segment)) for segment in value.split("/"))


def whole_segment(text: str) -> str:
    """Returns text, an encoded segment. Raises: MalformedInput if it would climb or vanish."""
    if text in {"", ".", ".."}:
        raise MalformedInput("leaves an empty or dotted segment in the path")
    return text


def header_value(value: str) -> str:
    """Returns value where a header can carry it (RFC 9110 §5.5). Raises: MalformedInput."""
    if not value.isascii() or plain(value) != value.strip():
        raise MalformedInput("cannot stand in a header")
    return value


def host_label(value: str) -> str:
    """Returns value where it is one label of a host name. Raises: MalformedInput."""
    if not _LABEL.fullmatch(value):
        raise MalformedInput("is not one label of a host name")
    return value


def authority(value: str) -> str:
    """Returns value where it is ``host[:port]``: a name, an IPv4 or a bracketed IPv6 address.

    Raises:
        MalformedInput: for anything else.
    """
    found = _AUTHORITY.fullmatch(value)
    if not found or not _is_host(found[1]) or int(found[2] or 1) not in _PORTS:
        raise MalformedInput("is not host[:port]")
    return value


def _encoded(hole: Hole, value: str | Secret, encode: Encode) -> str:
    try:
        return encode(value.reveal() if isinstance(value, Secret) else value)
    except MalformedInput as error:
        raise MalformedInput(f"{{{hole.name}}} {error}") from error


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return len(host) <= _MAX_HOST and all(_LABEL.fullmatch(label) for label in host.split("."))
    try:
        IPv6Address(host[1:-1])
    except AddressValueError:
        return False
    return True
