"""What the suite gives out and what its programs said, for ``canary`` to compare."""

from typing import Final

LEAST: Final = 8  # characters; a shorter secret would be found in honest text

_ISSUED: set[str] = set()
_OVERHEARD: list[str] = []


def issued(secret: str) -> str:
    """Returns secret once it was noted: from now on nothing that a test prints may hold it.

    A signed token needs no note: it is known by its shape.
    """
    if len(secret) < LEAST:
        raise ValueError(f"a secret of a test has at least {LEAST} characters")
    _ISSUED.add(secret)
    return secret


def overheard(text: str) -> str:
    """Returns text, which a program said to a test: what may hold no secret, as if it was printed.

    Not for the answer to who asked for a secret.
    """
    _OVERHEARD.append(text)
    return text


def all_issued() -> frozenset[str]:
    """Returns what this process has noted so far."""
    return frozenset(_ISSUED)


def take_overheard() -> str:
    """Returns what was overheard since this was asked last."""
    text = "\n".join(_OVERHEARD)
    _OVERHEARD.clear()
    return text
