"""What a request is about: the end points of the distribution specification, read from the path."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from pullpass.errors import InvalidReference
from pullpass.reference import parse_reference, parse_repository
from pullpass.scope import Scope


class Kind(Enum):
    """The kinds of end points."""

    BASE = auto()
    CATALOG = auto()
    TAGS = auto()
    MANIFEST = auto()
    BLOB = auto()
    UPLOADS = auto()
    UPLOAD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request is about. Nothing in it can leave a directory.

    Attributes:
        repository: empty for the base and the catalog.
        reference: a tag, something like a digest, or an upload's name.
    """

    kind: Kind
    repository: str = ""
    reference: str = ""


_DIGEST: Final = r"[A-Za-z0-9.+_-]++:[0-9a-fA-F]++"
_SHAPES: Final = {
    Kind.BASE: re.compile(r"/v2/?"),
    Kind.CATALOG: re.compile(r"/v2/_catalog"),
    Kind.TAGS: re.compile(r"/v2/(.+)/tags/list"),
    Kind.MANIFEST: re.compile(rf"/v2/(.+)/manifests/([\w.-]++|{_DIGEST})", re.ASCII),
    Kind.BLOB: re.compile(rf"/v2/(.+)/blobs/({_DIGEST})"),
    Kind.UPLOADS: re.compile(r"/v2/(.+)/blobs/uploads/"),
    Kind.UPLOAD: re.compile(r"/v2/(.+)/blobs/uploads/([0-9a-f]{32})"),
}


def parse_target(path: str) -> Target | None:
    """Returns what path, its percent signs decoded, is about; None if it is no end point."""
    for kind, shape in _SHAPES.items():
        if found := shape.fullmatch(path):
            repository, reference, *_ = (*found.groups(), "", "")
            target = Target(kind=kind, repository=repository, reference=reference)
            return target if _is_sound(target) else None
    return None


def wanted(target: Target, method: str, query: Mapping[str, str]) -> tuple[Scope, ...]:
    """Returns what a token must allow for a request, as distribution asks for it."""
    if target.kind is Kind.BASE:
        return ()
    if target.kind is Kind.CATALOG:
        return (Scope(type="registry", name="catalog", actions=frozenset({"*"})),)
    actions = {"GET": {"pull"}, "HEAD": {"pull"}, "DELETE": {"delete"}}
    own = _repository(target.repository, *actions.get(method, {"pull", "push"}))
    source = query.get("from", "")
    return (own, _repository(source, "pull")) if is_repository(source) else (own,)


def is_repository(text: str) -> bool:
    """Tells whether text is the name of a repository."""
    try:
        parse_repository(text)
    except InvalidReference:
        return False
    return True


def _repository(name: str, *actions: str) -> Scope:
    return Scope(type="repository", name=name, actions=frozenset(actions))


def _is_sound(target: Target) -> bool:
    if target.kind is Kind.MANIFEST and ":" not in target.reference:
        return _is_tagged(f"localhost/{target.repository}:{target.reference}")
    return not target.repository or is_repository(target.repository)


def _is_tagged(text: str) -> bool:
    try:
        parse_reference(text)
    except InvalidReference:
        return False
    return True
