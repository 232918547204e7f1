"""Reads what platforms answer: one text of a document, or an error that quotes nothing of it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pullpass.errors import IdentityError
from pullpass.exchange.paths import find
from pullpass.http import Request, Response
from pullpass.identity.effects import Steps, ask

AGAIN: Final = frozenset({502, 503, 504})  # of one of many servers; asking again uses nothing up
_HINTS: Final[Mapping[int, str]] = {
    401: "it does not believe who asks: check what it is shown",
    403: "who asks may not have a token: allow it there",
    404: "there is nothing of that name: check the identity's settings",
}


def ask_text(request: Request, who: str, hints: Mapping[int, str]) -> Steps[str]:
    """Returns the body of a good answer to request.

    Args:
        request: what is asked.
        who: the platform's endpoint, for errors.
        hints: what to do where it refuses, by status.

    Raises:
        IdentityError: if who refuses, or answers with something else than text.
        TransportError: if no answer comes.
    """
    answer = yield from ask(request)
    if answer.status in AGAIN:
        answer = yield from ask(request)
    return text_of_answer(answer, who, hints)


def text_of_answer(answer: Response, who: str, hints: Mapping[int, str]) -> str:
    """As ``ask_text``, of an answer that is there."""
    if answer.status not in {200, 201}:
        raise IdentityError(_refusal(answer, who, hints))
    try:
        text = answer.body.decode().strip()
    except UnicodeDecodeError as error:
        raise IdentityError(f"{who} answers with no text: {_other(who)}") from error
    if text[:1] == "<":
        raise IdentityError(f"{who} answers with a web page: {_other(who)}")
    return text


def ask_json(request: Request, who: str, hints: Mapping[int, str], path: str) -> Steps[str]:
    """As ``ask_text``, but returns the text at a dotted path of the answer's JSON."""
    text = yield from ask_text(request, who, hints)
    return text_at(read_json(text, who), path, who)


def read_json(text: str, who: str) -> Any:
    """Returns the document that text is. Raises: IdentityError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise IdentityError(
            f"{who} answers with something else than JSON: {_other(who)}"
        ) from error


def text_at(document: Any, path: str, who: str) -> str:
    """Returns the text at a dotted path of document. Raises: IdentityError."""
    found = find(document, tuple(path.split(".")))
    if not isinstance(found, str) or not found:
        raise IdentityError(f"{who} answers without {path}: {_other(who)}")
    return found


def _other(who: str) -> str:
    return f"check that nothing else answers in the place of {who}"


def _refusal(answer: Response, who: str, hints: Mapping[int, str]) -> str:
    status = answer.status
    if status in hints:
        return f"{who} answers {status}: {hints[status]}"
    if status >= 500 or status in {408, 410, 425, 429}:
        return f"{who} answers {status}, so it cannot serve now: try again in a minute"
    if 300 <= status < 400:
        return f"{who} answers {status}, and redirects are not followed: {_other(who)}"
    return f"{who} answers {status}: {_HINTS.get(status, _other(who))}"
