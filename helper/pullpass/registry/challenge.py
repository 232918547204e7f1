"""What a registry wants before it answers: the challenges of WWW-Authenticate."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pullpass.errors import InvalidChallenge

MAX_HEADER: Final = 16 * 1024  # characters

# RFC 9110 §5.6.2, §5.6.4 and §11.2. Possessive, since no shorter match can ever be the right one,
# but for the group, which Python before 3.11.5 gets wrong then (gh-106052).
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_TEXT: Final = r"\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff"
_QUOTED: Final = rf'"((?:[{_TEXT}]|\\[{_TEXT}"\\])*)"'
_END: Final = r"[ \t]*+(?=,|\Z)"
_GAP: Final = re.compile(r"[ \t,]*+")
_PARAMETER: Final = re.compile(rf"({_TOKEN})[ \t]*+=[ \t]*+(?:({_TOKEN})|{_QUOTED}){_END}")
_SCHEME: Final = re.compile(rf"({_TOKEN})(?: ++|{_END})")
_TOKEN68: Final = re.compile(rf"[A-Za-z0-9._~+/-]++=*+{_END}")
_ESCAPE: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way in.

    Attributes:
        scheme: in lower case, as ``bearer``.
        parameters: names in lower case, values without their quotes. A token68 is not kept.
    """

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Returns the challenges of a WWW-Authenticate header, in its order (RFC 9110 §11.6.1).

    Raises:
        InvalidChallenge: for anything else, and for a parameter that stands twice in one challenge.
    """
    if len(header) > MAX_HEADER:
        raise InvalidChallenge(
            f"the WWW-Authenticate header is longer than {MAX_HEADER} characters"
        )
    found: list[tuple[str, dict[str, str]]] = []
    for name, value in _elements(header):
        if value is None:
            found.append((name, {}))
        elif not found or name in found[-1][1]:
            raise InvalidChallenge("the WWW-Authenticate header has a parameter out of place")
        else:
            found[-1][1][name] = value
    return tuple(Challenge(scheme=scheme, parameters=given) for scheme, given in found)


def _elements(header: str) -> Iterator[tuple[str, str | None]]:
    """Yields each scheme, with None, and each parameter with its value."""
    at = _skip(_GAP, header, 0)
    while at < len(header):
        if parameter := _PARAMETER.match(header, at):
            yield parameter[1].lower(), _value(parameter)
            at = _skip(_GAP, header, parameter.end())
        elif scheme := _SCHEME.match(header, at):
            yield scheme[1].lower(), None
            at = _first_element(header, scheme.end())
        else:
            raise InvalidChallenge("the WWW-Authenticate header is not a list of challenges")


def _first_element(header: str, at: int) -> int:
    """Returns where the scheme's first parameter stands, or what follows its token68."""
    if _PARAMETER.match(header, at):
        return at
    end = _skip(_TOKEN68, header, at)
    if end == at and not header.startswith(",", at) and at < len(header):
        raise InvalidChallenge("the WWW-Authenticate header is not a list of challenges")
    return _skip(_GAP, header, end)


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _value(parameter: re.Match[str]) -> str:
    token, quoted = parameter[2], parameter[3]
    return token if token is not None else _ESCAPE.sub(r"\1", quoted)
