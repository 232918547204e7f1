"""Identities that whoever configures brings along: a variable, a file."""

from pullpass.errors import IdentityError
from pullpass.identity.effects import Steps, read_file
from pullpass.identity.source import Wanted


def env(wanted: Wanted) -> Steps[str | None]:
    """Returns the variable that the configuration names."""
    yield from ()
    return wanted.environ.get(wanted.parameters["variable"])


def file(wanted: Wanted) -> Steps[str | None]:
    """Returns what stands in a file now: whoever keeps it renews it."""
    path = wanted.parameters["path"]
    found = yield from read_file(path)
    if found is None:
        raise IdentityError(f"there is no {path}: let whoever writes the token write it there")
    return found
