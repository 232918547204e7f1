"""What a caller says in a claim, held against what a role allows. Pure."""

from typing import Final

from pullpass.config.issuing import AllowedClaim
from pullpass.errors import MintDenied
from pullpass.glob import matches

MAX_TEXT: Final = 1024  # characters of one value
MAX_ITEMS: Final = 64  # values of one claim
MAX_NUMBER: Final = 1 << 53  # what every JSON reader keeps exactly (RFC 8259 §6)


def check_value(role: str, name: str, value: object, allowed: AllowedClaim) -> None:
    """Holds that value is of the type and among the values of allowed.

    Raises:
        MintDenied: if it is not.
    """
    texts = _texts(value, allowed.type)
    if texts is None:
        raise MintDenied(
            f"role {role}: claim {name} takes a value of type {allowed.type}",
            constraint="allowed_claims",
        )
    for text in texts:
        if not any(matches(glob, text) for glob in allowed.values):
            raise MintDenied(
                f"role {role}: claim {name} may not be {text}: say one of its values, or add this"
                " one to them",
                constraint="allowed_claims",
            )


def _texts(value: object, type_: str) -> tuple[str, ...] | None:
    """Returns value as the texts that globs are held against, None if it is of another type."""
    match type_, value:
        case "string", str() if _is_text(value):
            return (value,)
        case "string-array", list() | tuple() if all(map(_is_text, value)):
            return tuple(value) if len(value) <= MAX_ITEMS else None
        case "boolean", bool():
            return (str(value).lower(),)
        case "integer", int() if not isinstance(value, bool) and abs(value) < MAX_NUMBER:
            return (str(value),)
    return None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable()
