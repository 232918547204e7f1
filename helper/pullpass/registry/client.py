"""Docker's token authentication from the client's side, as flows.

distribution specification, docs/content/spec/auth/token.md: the registry answers 401 with a
challenge, the realm that it names trades the credential for a token, and the token opens the door.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from pullpass.claims import read_token
from pullpass.credential import Credential
from pullpass.errors import InvalidChallenge, InvalidToken, MalformedInput, RegistryError
from pullpass.http import Flow, Request, Response
from pullpass.registry.challenge import Challenge, parse_challenges
from pullpass.registry.manifest import read_object
from pullpass.registry.place import Place, check_realm
from pullpass.scope import Scope
from pullpass.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a registry's challenge was answered with.

    Attributes:
        granted: what the token says that it allows; None where it cannot be read.
        authorization: the header's value for requests to that registry.
    """

    challenge: Challenge
    granted: tuple[Scope, ...] | None
    authorization: Secret


def authenticate(
    place: Place,
    refusal: Response,
    credential: Credential | None,
    scopes: Sequence[Scope] = (),
) -> Flow[Grant]:
    """Answers the challenge in refusal, a registry's 401.

    Args:
        place: the registry that refused.
        refusal: its answer.
        credential: what to show; None asks for what anybody may have.
        scopes: what to ask for; those that the challenge names, if empty.

    Raises:
        RegistryError: if there is no challenge to be answered, or the realm gives no token.
    """
    challenge = _choose(place, refusal, credential)
    if challenge.scheme == "basic" and credential is not None:
        return Grant(challenge=challenge, granted=None, authorization=_basic(credential))
    realm = check_realm(challenge.parameters.get("realm", ""), place)
    asked = [str(scope) for scope in scopes] or challenge.parameters.get("scope", "").split()
    url = _with_query(realm, _question(challenge, credential, asked))
    headers = {} if credential is None else {"Authorization": _basic(credential).reveal()}
    answer = yield Request(method="GET", url=url, headers=headers)
    token = _token(place, answer)
    return Grant(
        challenge=challenge,
        granted=_granted(token),
        authorization=Secret(f"Bearer {token}"),
    )


@dataclass(slots=True, kw_only=True)
class Session:
    """Requests to one repository, all of them with the same token.

    Attributes:
        scope: what the session's requests need.
        grant: how the registry's challenge was answered; None while it asked for nothing.
    """

    place: Place
    scope: Scope
    credential: Credential | None = field(repr=False)
    grant: Grant | None = None

    def ask(self, request: Request, what: str, expected: Sequence[int]) -> Flow[Response]:
        """Sends request and returns its answer, which has one of the expected statuses.

        Args:
            request: what to send to the session's registry.
            what: names what is asked, for the error.
            expected: statuses.

        Raises:
            RegistryError: for any other status, or if the challenge cannot be answered.
        """
        answer = yield self._signed(request)
        if answer.status == 401 and self.grant is None:
            self.grant = yield from authenticate(self.place, answer, self.credential, (self.scope,))
            answer = yield self._signed(request)
        if answer.status not in expected:
            raise RegistryError(
                f"registry {self.place.registry}: {what}: {self._reason(answer.status)}"
            )
        return answer

    def _signed(self, request: Request) -> Request:
        if self.grant is None:
            return request
        authorization = {"Authorization": self.grant.authorization.reveal()}
        return replace(request, headers={**request.headers, **authorization})

    def _reason(self, status: int) -> str:
        if status in {401, 403}:
            return f"refused with {status}; does the subject's ruleset grant {self.scope}?"
        if status == 404:
            return f"not there; is {self.scope.name} its repository?"
        return f"answered with status {status}; look into the registry's log"


def _choose(place: Place, refusal: Response, credential: Credential | None) -> Challenge:
    try:
        challenges = parse_challenges(refusal.headers.get("www-authenticate", ""))
    except InvalidChallenge as error:
        raise RegistryError(
            f"registry {place.registry}: its 401 cannot be read: {error}"
        ) from error
    found = {challenge.scheme: challenge for challenge in challenges}
    if "bearer" in found:
        return found["bearer"]
    if "basic" in found and credential is not None:
        return found["basic"]
    raise RegistryError(
        f"registry {place.registry}: its 401 names no way to get in that pullpass knows; "
        "is it a registry, and is a credential configured for it?"
    )


def _question(
    challenge: Challenge, credential: Credential | None, scopes: Sequence[str]
) -> Iterator[tuple[str, str]]:
    if credential is not None:
        yield "account", credential.username
    if "service" in challenge.parameters:
        yield "service", challenge.parameters["service"]
    for scope in scopes:
        yield "scope", scope


def _with_query(url: str, fields: Iterator[tuple[str, str]]) -> str:
    query = urlencode(list(fields))
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _basic(credential: Credential) -> Secret:
    pair = f"{credential.username}:{credential.secret.reveal()}"
    return Secret(f"Basic {b64encode(pair.encode()).decode()}")


def _token(place: Place, answer: Response) -> str:
    if answer.status in {401, 403}:
        raise RegistryError(
            f"registry {place.registry}: its token server refused the credential with"
            f" {answer.status}; is its connection active and its secret still valid?"
        )
    if answer.status != 200:
        raise RegistryError(
            f"registry {place.registry}: its token server answered with status {answer.status}; "
            "look into the token server's log"
        )
    token = _read_token(answer.body)
    if token is None:
        raise RegistryError(f"registry {place.registry}: its token server's answer holds no token")
    return token


def _read_token(body: bytes) -> str | None:
    try:
        document = read_object(body)
    except MalformedInput:
        return None
    token = document.get("token") or document.get("access_token")
    # It becomes a header: RFC 6750 §2.1 leaves it no room for spaces or controls.
    usable = isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token
    return token if usable else None


def _granted(token: str) -> tuple[Scope, ...] | None:
    try:
        claims = read_token(token).claims
    except InvalidToken:
        return None
    access = claims.get("access")
    entries = access if isinstance(access, list) else []
    return tuple(filter(None, map(_scope, entries)))


def _scope(entry: Mapping[str, Any]) -> Scope | None:
    match entry:
        case {"type": str(kind), "name": str(name), "actions": list(actions)}:
            texts = frozenset(action for action in actions if isinstance(action, str))
            return Scope(type=kind, name=name, actions=texts)
        case _:
            return None
