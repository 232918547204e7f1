"""When a credential ends: a rule of a spec, applied to an answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pullpass.claims import read_token
from pullpass.errors import ConfigError, InvalidToken, MalformedInput
from pullpass.exchange.paths import find, parse_path

MAX_LIFETIME: Final = 24 * 3600  # seconds; whatever lives longer is asked for again by then
_MAX_STATED: Final = 10 * 366 * 24 * 3600  # seconds; more is another unit or a point in time
_MAX_DIGITS: Final = len(str(_MAX_STATED))
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_KINDS: Final = "in:PATH (seconds), at:PATH (RFC 3339 or Unix seconds), jwt:exp or fixed:SECONDS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """One way of finding the end.

    Attributes:
        kind: in, at, jwt or fixed.
        path: of the member of the answer, for in and at.
        seconds: for fixed.
    """

    kind: str
    path: tuple[str, ...] = ()
    seconds: int = 0


def parse_expiry(text: str, key: str = "") -> Expiry:
    """Returns a rule such as ``in:expires_in``. Raises: ConfigError."""
    kind, _, argument = text.partition(":")
    if kind in {"in", "at"}:
        return Expiry(kind=kind, path=parse_path(argument, key))
    if text == "jwt:exp":
        return Expiry(kind=kind)
    if kind == "fixed" and _is_digits(argument) and 0 < int(argument) <= MAX_LIFETIME:
        return Expiry(kind=kind, seconds=int(argument))
    raise ConfigError(f"an expiry is one of {_KINDS}", key=key)


def expires_at(
    rules: tuple[Expiry, ...], answer: Mapping[str, Any], password: str, asked_at: float
) -> float | None:
    """Returns the end in Unix seconds by the first rule that applies, or None where none does.

    Args:
        rules: of the spec.
        answer: the last step's.
        password: read where it is a JWT.
        asked_at: Unix seconds, before the request was sent: a lifetime begins no earlier.

    Raises:
        MalformedInput: if a rule applies to a value that is no time.
    """
    for rule in rules:
        if (end := _apply(rule, answer, password, asked_at)) is not None:
            return min(end, asked_at + MAX_LIFETIME)
    return None


def _apply(rule: Expiry, answer: Mapping[str, Any], password: str, asked_at: float) -> float | None:
    if rule.kind == "fixed":
        return asked_at + rule.seconds
    if rule.kind == "jwt":
        return _token_end(password)
    if (value := find(answer, rule.path)) is None:
        return None
    name = ".".join(rule.path)
    return asked_at + _lifetime(value, name) if rule.kind == "in" else _point(value, name)


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


def _token_end(password: str) -> float | None:
    try:
        end = read_token(password).claims.get("exp")
    except InvalidToken:
        return None
    return None if end is None else _finite(end, "token whose exp")


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
