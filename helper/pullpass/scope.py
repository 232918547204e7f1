"""Docker's scopes: what a token is asked for and what it allows.

Grammar: https://distribution.github.io/distribution/spec/auth/scope/
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from pullpass.errors import InvalidReference, InvalidScope
from pullpass.reference import parse_registry, parse_repository

MAX_SCOPES: Final = 64
MAX_LENGTH: Final = 4096  # characters of all scopes together

_TYPE: Final = re.compile(r"([a-z0-9]+)(?:\([a-z0-9]+\))?")
# Wider than the grammar: ACR asks for metadata_read, every registry's catalog for *.
_ACTIONS: Final = re.compile(r"(?:\*|[a-z0-9_-]*)(?:,(?:\*|[a-z0-9_-]*))*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Actions on one resource, as ``repository:team/app:pull,push``.

    Attributes:
        type: what the resource is, mostly ``repository``.
        name: the resource, with ``host[:port]/`` in front where the client wrote it.
        actions: may be empty; nothing is granted then.
    """

    type: str
    name: str
    actions: frozenset[str]

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(sorted(self.actions))}"


def parse_scopes(texts: Iterable[str]) -> tuple[Scope, ...]:
    """Returns the scopes of texts, each of which may hold several between spaces.

    Actions on the same resource are merged where it stands first. The deprecated class of a type is
    dropped.

    Raises:
        InvalidScope: for anything else, and beyond MAX_SCOPES or MAX_LENGTH.
    """
    found: dict[tuple[str, str], Scope] = {}
    for written in _split(texts):
        scope = _parse(written)
        known = found.get((scope.type, scope.name), scope)
        merged = replace(known, actions=known.actions | scope.actions)
        found[scope.type, scope.name] = merged
    return tuple(found.values())


def intersect(asked: Scope, granted: frozenset[str]) -> Scope:
    """Returns asked with only those of its actions that are granted: fewer is never an error."""
    return replace(asked, actions=asked.actions & granted)


def _split(texts: Iterable[str]) -> Iterator[str]:
    count = length = 0
    for text in texts:
        length += len(text)
        if length > MAX_LENGTH:
            raise InvalidScope(f"the scopes are longer than {MAX_LENGTH} characters")
        for written in filter(None, text.split(" ")):
            count += 1
            if count > MAX_SCOPES:
                raise InvalidScope(f"more than {MAX_SCOPES} scopes are asked for at once")
            yield written


def _parse(written: str) -> Scope:
    # Split from both ends: a name may hold the colon of a port.
    kind, _, rest = written.partition(":")
    name, colon, actions = rest.rpartition(":")
    known = _TYPE.fullmatch(kind)
    if not known or not colon or not _ACTIONS.fullmatch(actions):
        raise InvalidScope("a scope is not type:name:actions, as repository:team/app:pull")
    _check_name(name)
    return Scope(type=known[1], name=name, actions=frozenset(filter(None, actions.split(","))))


def _check_name(name: str) -> None:
    host, slash, path = name.partition("/")
    try:
        if slash and (":" in host or host != host.lower()):
            parse_registry(host)
            parse_repository(path)
        else:
            parse_repository(name)
    except InvalidReference as error:
        raise InvalidScope(f"a scope's name is not a resource: {error}") from error
