"""All sources by their names, and in which order ``auto`` asks them."""

from collections.abc import Callable, Mapping
from typing import Final

from pullpass.config.identities import AUTO, named
from pullpass.config.model import Identity
from pullpass.errors import IdentityError, MalformedInput, TransportError
from pullpass.identity.effects import Steps
from pullpass.identity.source import Source, Wanted, never
from pullpass.identity.sources import actions, ci, generic
from pullpass.identity.token import SubjectToken, checked, read_jwt
from pullpass.secret import Secret

SOURCES: Final[Mapping[str, Source]] = {
    "github-actions": Source(fetch=actions.github, elsewhere="this is no job of GitHub Actions"),
    "forgejo": Source(fetch=actions.forgejo, elsewhere="this is no job of Forgejo Actions"),
    "gitea": Source(fetch=actions.gitea, elsewhere="this is no job of Gitea Actions"),
    "gitlab": Source(fetch=ci.gitlab, elsewhere="this is no job of GitLab CI"),
    "env": Source(fetch=generic.env, elsewhere="the variable is not set"),
    "file": Source(fetch=generic.file, elsewhere="", of_caller=never),
}

# Only what is given to one job or one workload: a cloud's metadata speak for the whole machine, and
# nobody is to show that by chance.
ORDER: Final = ("forgejo", "gitea", "github-actions", "gitlab")


def depends(identity: Identity) -> bool:
    """Tells whether what identity gives depends on the process that asks for it."""
    return identity.source == AUTO or SOURCES[identity.source].of_caller(identity.parameters)


def fetch(
    identity: Identity, audience: str, environ: Mapping[str, str], now: Callable[[], float]
) -> Steps[SubjectToken]:
    """Returns the token that identity gives, once it was seen to be good and for audience.

    Raises:
        IdentityError: if there is none.
        ConfigError: if what it needs is not installed.
    """
    if identity.source == AUTO:
        return (yield from _first(audience, environ, now))
    source = SOURCES[identity.source]
    token = yield from _ask(identity, audience, environ, now)
    if token is None:
        raise IdentityError(f"{identity.name}: {source.elsewhere}: name another identity here")
    return token


def _first(
    audience: str, environ: Mapping[str, str], now: Callable[[], float]
) -> Steps[SubjectToken]:
    for name in ORDER:
        token = yield from _ask(named(name, {}, ""), audience, environ, now)
        if token is not None:
            return token
    raise IdentityError(f"auto: this is none of {', '.join(ORDER)}: name an identity of this host")


def _ask(
    identity: Identity, audience: str, environ: Mapping[str, str], now: Callable[[], float]
) -> Steps[SubjectToken | None]:
    parameters = identity.parameters
    wanted = Wanted(audience=audience, parameters=parameters, environ=environ, now=now)
    try:
        token = yield from SOURCES[identity.source].fetch(wanted)
        if token is None:
            return None
        if not parameters.get("jwt", True):
            return SubjectToken(token=Secret(token), source=identity.name)
        return checked(read_jwt(token, identity.name), audience, now())
    except (IdentityError, MalformedInput, TransportError) as error:
        raise IdentityError(f"{identity.name}: {error}") from error
