"""Proves the promise: searches every file of the demo for what was issued.

It looks for the secrets that the demo saw, as they are and as Docker would write them, and for
anything that has the shape of a signed token, written out or in base64 as Docker's clients keep a
password: the helper's own tokens were seen by nobody.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pullpass.credential import Credential
from pullpass.errors import PullpassError
from pullpass.secret import Secret

_TOKEN: Final = re.compile(rb"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{48,}={0,2}")
# Each is found in one way alone: what is known by its text, what has a token's shape by that.
KNOWN: Final = Secret("a canary which has no shape")
SHAPED: Final = Secret("eyJjYW5hcnkiOjF9.eyJjYW5hcnkiOjF9.c2VhcmNoLWZpbmRzLXRoaXM")


class PromiseBroken(PullpassError):
    """A secret was found where none may be, or the search does not find what is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a search went through, and where it found something."""

    secrets: int
    files: int
    size: int
    found: tuple[Path, ...]


def forms(credential: Credential) -> Iterator[Secret]:
    """Yields the secret of credential, and the form in which Docker's configuration keeps one."""
    yield credential.secret
    pair = f"{credential.username}:{credential.secret.reveal()}"
    yield Secret(b64encode(pair.encode()).decode())


def search(directory: Path, secrets: Iterable[Secret]) -> Searched:
    """Searches all files below directory for secrets and for anything like a token."""
    needles = {secret.reveal().encode() for secret in secrets}
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    size, found = 0, []
    for path in files:
        content = path.read_bytes()
        size += len(content)
        if _holds_token(content) or any(needle in content for needle in needles):
            found.append(path)
    return Searched(secrets=len(needles), files=len(files), size=size, found=tuple(found))


def _holds_token(content: bytes) -> bool:
    """Tells whether a token stands in content, as it is or in base64."""
    coded = (found[0].rstrip(b"=") for found in _BASE64.finditer(content))
    decoded = (b64decode(text[: len(text) // 4 * 4]) for text in coded)
    return any(_TOKEN.search(text) for text in (content, *decoded))


def prove(directory: Path, secrets: Iterable[Secret]) -> Searched:
    """Returns a search of directory that found nothing, after one that found planted canaries.

    Raises:
        PromiseBroken: if a canary was not found, or anything else was.
    """
    wanted = [*secrets]
    planted = {directory / "canary-known": KNOWN, directory / "canary-shaped": SHAPED}
    try:
        for path, canary in planted.items():
            path.write_text(canary.reveal(), encoding="ascii")
        with_canaries = search(directory, [*wanted, KNOWN])
    finally:
        for path in planted:
            path.unlink(missing_ok=True)
    if not planted.keys() <= set(with_canaries.found):
        raise PromiseBroken(
            "the search does not find the canaries that were planted: it proves nothing"
        )
    searched = search(directory, wanted)
    if searched.found:
        names = ", ".join(str(path.relative_to(directory)) for path in searched.found)
        raise PromiseBroken(f"an issued secret lies in {names}: please report it")
    return searched
