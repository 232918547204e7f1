"""When a credential ends: a rule of a spec, applied to an answer."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pullpass.errors import ConfigError, MalformedInput
from pullpass.exchange.paths import find, parse_path
from pullpass.exchange.template import Values, is_name

MAX_LIFETIME: Final = 24 * 3600  # seconds; whatever lives longer is asked for again by then
_MAX_STATED: Final = 10 * 366 * 24 * 3600  # seconds; more is another unit or a point in time
_MAX_DIGITS: Final = len(str(_MAX_STATED))
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_KINDS: Final = (
    "in:PATH (seconds), at:PATH (RFC 3339 or Unix seconds), jwt:exp, asked:PARAMETER or"
    " fixed:SECONDS"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """One way of finding the end.

    Attributes:
        kind: in, at, jwt, asked or fixed.
        path: of the member of the answer, for in and at.
        parameter: that asked for a lifetime in seconds, for asked.
        seconds: for fixed.
    """

    kind: str
    path: tuple[str, ...] = ()
    parameter: str = ""
    seconds: int = 0


def parse_expiry(text: str, key: str = "") -> Expiry:
    """Returns a rule such as ``in:expires_in``. Raises: ConfigError."""
    kind, _, argument = text.partition(":")
    if kind in {"in", "at"}:
        return Expiry(kind=kind, path=parse_path(argument, key))
    if text == "jwt:exp":
        return Expiry(kind=kind)
    if kind == "asked" and is_name(argument):
        return Expiry(kind=kind, parameter=argument)
    if kind == "fixed" and _is_digits(argument) and 0 < int(argument) <= MAX_LIFETIME:
        return Expiry(kind=kind, seconds=int(argument))
    raise ConfigError(f"an expiry is one of {_KINDS}", key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an end is read from.

    Attributes:
        answer: the last step's.
        claims: the password's where it is a JWT, read but not believed.
        values: the parameters.
        asked_at: Unix seconds, before the request was sent: a lifetime begins no earlier.
    """

    answer: Mapping[str, Any] = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    values: Values = field(repr=False)
    asked_at: float


def expires_at(rules: tuple[Expiry, ...], given: Given) -> float | None:
    """Returns the end in Unix seconds by the first rule that applies, or None where none does.

    No JWT outlives its own ``exp``, whatever an answer says.

    Raises:
        MalformedInput: if a rule applies to a value that is no time.
    """
    stated = (_RULES[rule.kind](rule, given) for rule in rules)
    first = next((end for end in stated if end is not None), None)
    ends = [end for end in (first, given.claims.get("exp")) if end is not None]
    return min(*ends, given.asked_at + MAX_LIFETIME) if ends else None


def _in(rule: Expiry, given: Given) -> float | None:
    value = find(given.answer, rule.path)
    return None if value is None else given.asked_at + _lifetime(value, ".".join(rule.path))


def _at(rule: Expiry, given: Given) -> float | None:
    value = find(given.answer, rule.path)
    return None if value is None else _point(value, ".".join(rule.path))


def _jwt(_: Expiry, given: Given) -> float | None:
    end: int | None = given.claims.get("exp")
    return end


def _asked(rule: Expiry, given: Given) -> float | None:
    text = str(given.values.get(rule.parameter, ""))
    return given.asked_at + int(text) if _is_digits(text) else None


def _fixed(rule: Expiry, given: Given) -> float:
    return given.asked_at + rule.seconds


def _lifetime(value: object, name: str) -> int:
    if isinstance(value, str) and _is_digits(value):
        value = int(value)
    if type(value) is not int or not 0 < value <= _MAX_STATED:
        raise MalformedInput(f"with a {name} that is no lifetime in seconds")
    return value


def _point(value: object, name: str) -> float:
    if type(value) in {int, float} and isinstance(value, int | float):
        return _finite(value, name)
    try:
        point = datetime.fromisoformat(value if isinstance(value, str) else "")
        return (point - _EPOCH).total_seconds()
    except (ValueError, TypeError) as error:  # TypeError: a time without its offset
        raise MalformedInput(f"with a {name} that is no point in time") from error


def _finite(value: float, name: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise MalformedInput(f"with a {name} that is no point in time")
    return number


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


_RULES: Final[Mapping[str, Callable[[Expiry, Given], float | None]]] = {
    "in": _in,
    "at": _at,
    "jwt": _jwt,
    "asked": _asked,
    "fixed": _fixed,
}
