"""What a client that knows the agent asks for. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pullpass.errors import InvalidReference, MalformedInput
from pullpass.reference import parse_registry, parse_repository
from pullpass.resolve.choose import Query

POD_FACTS: Final = frozenset({"k8s.namespace", "k8s.pod", "k8s.uid"})
_MEMBERS: Final = frozenset({"registry", "repository", "facts", "fresh"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A credential that somebody wants.

    Attributes:
        pod: facts about a pod, as stated by whoever asks.
        fresh: whether a credential that was given before will not do.
    """

    query: Query
    pod: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False


def read_question(body: bytes) -> Question:
    """Returns the question that the body of ``resolve`` asks.

    Raises:
        MalformedInput: for anything else.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedInput("resolve takes a JSON object") from error
    if not isinstance(found, dict) or not found.keys() <= _MEMBERS:
        raise MalformedInput(f"resolve takes a JSON object of {', '.join(sorted(_MEMBERS))}")
    fresh = found.get("fresh", False)
    if not isinstance(fresh, bool):
        raise MalformedInput("resolve: fresh is neither true nor false")
    return Question(query=_query(found), pod=_pod(found.get("facts", {})), fresh=fresh)


def _query(found: Mapping[str, Any]) -> Query:
    registry, repository = found.get("registry"), found.get("repository")
    if not isinstance(registry, str) or not isinstance(repository, str | None):
        raise MalformedInput("resolve: registry is needed as text, repository is text or null")
    try:
        return Query(
            registry=parse_registry(registry),
            repository=None if repository is None else parse_repository(repository),
        )
    except InvalidReference as error:
        raise MalformedInput(f"resolve: {error}") from error


def _pod(facts: Any) -> Mapping[str, str]:
    if not isinstance(facts, dict) or not facts.keys() <= POD_FACTS:
        raise MalformedInput(f"resolve: facts takes {', '.join(sorted(POD_FACTS))}")
    if not all(isinstance(value, str) for value in facts.values()):
        raise MalformedInput("resolve: facts are texts")
    return facts
