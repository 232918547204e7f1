"""Dotted paths into JSON, as ``auth.client_token``.

In a list the first element which has the rest counts.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from pullpass.errors import ConfigError

Path = tuple[str, ...]
_PATH: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


def parse_path(text: str, key: str = "") -> Path:
    """Returns the members that text names, one in the other. Raises: ConfigError."""
    if not _PATH.fullmatch(text):
        raise ConfigError("must be member names joined by dots", key=key)
    return tuple(text.split("."))


def find(value: object, path: Path) -> Any | None:
    """Returns what stands at path in value; None where nothing or null does."""
    if not path:
        return value
    if isinstance(value, list):
        found = (find(element, path) for element in value if isinstance(element, Mapping))
        return next((hit for hit in found if hit is not None), None)
    return find(value.get(path[0]), path[1:]) if isinstance(value, Mapping) else None
