"""What a subject may do: the union of its rulesets, cut down to what was asked. Pure."""

from collections.abc import Iterable

from pullpass.config.model import Connection, Ruleset
from pullpass.glob import matches
from pullpass.scope import Scope, intersect


def matching(connection: Connection, subject: str) -> tuple[Ruleset, ...]:
    """Returns the rulesets of connection which speak of subject, in their order."""
    return tuple(
        ruleset
        for ruleset in connection.rulesets
        if any(matches(glob, subject) for glob in ruleset.subject)
    )


def username(rulesets: Iterable[Ruleset], subject: str) -> str:
    """Returns the user that subject becomes: the first one named, else subject itself.

    A colon in subject becomes a slash: Basic authentication has no room for one (RFC 7617 §2).
    """
    named = next((ruleset.username for ruleset in rulesets if ruleset.username), subject)
    return named.replace(":", "/")


def allowed(rulesets: Iterable[Ruleset], scope: Scope) -> frozenset[str]:
    """Returns all actions that rulesets together allow on the resource of scope."""
    resource = f"{scope.type}:{scope.name}"
    found = frozenset[str]()
    for ruleset in rulesets:
        if any(matches(glob, resource, boundary="/") for glob in ruleset.resources):
            found |= ruleset.actions
    return found


def grant(rulesets: tuple[Ruleset, ...], asked: Iterable[Scope]) -> tuple[Scope, ...]:
    """Returns what of asked is allowed. Fewer actions, or none, are no error.

    https://distribution.github.io/distribution/spec/auth/token/
    """
    return tuple(intersect(scope, allowed(rulesets, scope)) for scope in asked)
