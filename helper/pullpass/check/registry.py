"""The registry's side: its challenge answered with the credential, and what that grants."""

from pullpass.check.finding import Level, Seen
from pullpass.credential import Credential
from pullpass.errors import RegistryError
from pullpass.http import Request, Response, Transport, run
from pullpass.registry.client import Grant, authenticate
from pullpass.registry.place import Place
from pullpass.scope import Scope


def look(
    place: Place, credential: Credential, repository: str | None, transport: Transport
) -> Seen:
    """Returns what place makes of credential; a token is asked for repository, where there is one.

    Raises:
        RegistryError: if it is not let in, or not to repository.
        TransportError: if nobody answers.
    """
    refusal = _knock(place, transport)
    if refusal.status == 200:
        return Seen(Level.WARNING, "the registry lets everybody in", "close it, or drop its entry")
    if refusal.status != 401:
        raise RegistryError(
            f"registry {place.registry}: /v2/ answers with status {refusal.status}:"
            " is it a registry?"
        )
    asked = _pull(repository)
    grant = run(authenticate(place, refusal, credential, asked), transport)
    answer = _knock(place, transport, grant)
    if answer.status in {401, 403}:
        raise RegistryError(
            f"registry {place.registry}: it refuses {_shown(grant)} with {answer.status}: does it"
            " trust the key, the issuer and the service of whoever gave it?"
        )
    _check_grant(grant, asked)
    took = f"the registry takes {_shown(grant)}"
    if repository is None:
        return Seen(Level.OK, took)
    if grant.granted is None:
        return _tried(place, transport, grant, repository)
    return Seen(Level.OK, f"{took}, which grants {', '.join(map(str, grant.granted))}")


def _knock(place: Place, transport: Transport, grant: Grant | None = None) -> Response:
    headers = _authorized(grant) if grant else {}
    return transport.send(Request(method="GET", url=place.url(""), headers=headers))


def _authorized(grant: Grant) -> dict[str, str]:
    return {"Authorization": grant.authorization.reveal()}


def _pull(repository: str | None) -> tuple[Scope, ...]:
    if repository is None:
        return ()
    return (Scope(type="repository", name=repository, actions=frozenset({"pull"})),)


def _shown(grant: Grant) -> str:
    """Names what the registry is shown."""
    if grant.challenge.scheme != "bearer":
        return "the credential"
    realm = Request(method="GET", url=grant.challenge.parameters.get("realm", ""))
    return f"the token of {realm.origin}"


def _tried(place: Place, transport: Transport, grant: Grant, repository: str) -> Seen:
    """Lists tags, for which one needs pull: what is shown does not say what it grants."""
    url = place.url(f"{repository}/tags/list?n=1")
    answer = transport.send(Request(method="GET", url=url, headers=_authorized(grant)))
    if answer.status in {401, 403}:
        raise RegistryError(
            f"registry {place.registry}: {_shown(grant)} does not let {repository} be pulled"
            f" ({answer.status}): let a rule of the registry's side cover it"
        )
    took = f"the registry takes {_shown(grant)}"
    if answer.status == 200:
        return Seen(Level.OK, f"{took}, and lets {repository} be pulled")
    saw = f"{took}, and answers {answer.status} where the tags of {repository} are asked for"
    return Seen(Level.WARNING, saw, "see that there is such a repository")


def _check_grant(grant: Grant, asked: tuple[Scope, ...]) -> None:
    """Raises: RegistryError if what was granted can be read and does not cover what was asked."""
    if grant.granted is None:
        return
    for scope in asked:
        if not any(_covers(given, scope) for given in grant.granted):
            granted = ", ".join(map(str, grant.granted)) or "nothing"
            raise RegistryError(
                f"{_shown(grant)} grants {granted} where {scope} was asked: let a ruleset of the"
                " registry's side cover it"
            )


def _covers(granted: Scope, asked: Scope) -> bool:
    same = (granted.type, granted.name) == (asked.type, asked.name)
    return same and asked.actions <= granted.actions
