"""What can be made of an answer's output beside itself. A closed set: one name, one function."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Final

from pullpass.claims import read_token
from pullpass.errors import InvalidToken

Make = Callable[[str, str], str]


def derive(kind: str, text: str, claim: str) -> str:
    """Returns what kind makes of text, empty where it cannot be."""
    made = MADE[kind](text, claim)
    return made if made.isprintable() else ""


def _jwt_claim(text: str, claim: str) -> str:
    try:
        return read_token(text).text(claim)
    except InvalidToken:
        return ""


def _jwt_sub(text: str, _claim: str) -> str:
    # JFrog's rule. Elsewhere a slash belongs to the name: groups are called provider/mapping.
    subject = _jwt_claim(text, "sub")
    is_path = subject.startswith("jfrt@") or "/users/" in subject
    return subject.rpartition("/")[2] if is_path else subject


def _pair(text: str) -> tuple[str, str]:
    try:
        user, colon, password = b64decode(text, validate=True).decode("utf-8").partition(":")
    except ValueError:
        return "", ""
    return (user, password) if colon else ("", "")


def _pair_user(text: str, _claim: str) -> str:
    return _pair(text)[0]


def _pair_password(text: str, _claim: str) -> str:
    return _pair(text)[1]


MADE: Final[Mapping[str, Make]] = {
    "jwt_sub": _jwt_sub,
    "jwt_claim": _jwt_claim,
    "pair_user": _pair_user,
    "pair_password": _pair_password,
}
