"""Reads what platforms answer: one text of a JSON document, or an error that quotes nothing."""

import json
from typing import Any

from pullpass.errors import IdentityError
from pullpass.http import Response


def json_text(answer: Response, path: str, who: str) -> str:
    """Returns the text at the dotted path of answer.

    Raises:
        IdentityError: if who said no, or something else than that.
    """
    found: Any = json_of(answer, who)
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    if not isinstance(found, str) or not found:
        raise IdentityError(f"{who} answered without {path}: is it what it should be?")
    return found


def json_of(answer: Response, who: str) -> Any:
    """Returns the document that who answered. Raises: IdentityError."""
    check_status(answer, who)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise IdentityError(f"{who} answered no JSON: is it what it should be?") from error


def check_status(answer: Response, who: str) -> None:
    """Holds that who did not refuse. Raises: IdentityError."""
    if answer.status >= 500 or answer.status == 429:
        raise IdentityError(f"{who} answered {answer.status}: try again later")
    if answer.status != 200:
        raise IdentityError(f"{who} answered {answer.status}: check what this host or job may ask")
