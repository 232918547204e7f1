"""The links of one registry's chain, looked at in the order in which a pull uses them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pullpass.check.clock import ClockWatch
from pullpass.check.finding import Finding, Level
from pullpass.claims import read_token
from pullpass.config.model import Config
from pullpass.credential import Credential
from pullpass.errors import PullpassError, RegistryError, TokenRefused, TransportError
from pullpass.http import MAX_SKEW, Request, Response, Transport, run
from pullpass.identity.facts import process_facts
from pullpass.issuer.mint import Minted, Minter
from pullpass.registry.client import Grant, authenticate
from pullpass.registry.place import Place
from pullpass.resolve.choose import Query
from pullpass.resolve.flow import Plan, identify, plan, trade
from pullpass.scope import Scope
from pullpass.verifier.discovery import fetch_keys

SHORT_LIFE: Final = 600  # seconds; buildx keeps a helper's answer for minutes
_UNREACHABLE: Final = "see that it is up, and reachable from here under exactly this address"

Seen = tuple[Level, str, str]  # the level, what was seen, what to do; errors are raised
Look = Callable[[], Iterator[Seen]]


@dataclass(slots=True, kw_only=True)
class Walk:
    """One registry's chain. What one link gives, the next ones use.

    Attributes:
        repository: what to ask a token for, None to ask for none.
        now: the clock, Unix seconds.
    """

    config: Config
    minter: Minter
    transport: Transport
    registry: str
    repository: str | None = None
    now: Callable[[], float] = time.time
    _watch: ClockWatch = field(init=False, repr=False)
    _plan: Plan = field(init=False, repr=False)
    _minted: Minted = field(init=False, repr=False)
    _credential: Credential = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._watch = ClockWatch(transport=self.transport, now=self.now)

    def findings(self) -> Iterator[Finding]:
        """Yields what is found at each link; after an error, those that need it are not tried."""
        broken = ""
        for link, look, needed in (
            ("entry", self._look_at_entry, True),
            ("identity", self._look_at_identity, True),
            ("issuer", self._look_at_issuer, False),
            ("exchange", self._look_at_exchange, True),
            ("lifetime", self._look_at_lifetime, False),
            ("registry", self._look_at_registry, False),
            ("clock", self._look_at_clock, False),
        ):
            if broken and link != "clock":
                yield self._finding(
                    link, (Level.NOT_TRIED, f"not tried, since {broken} failed", "")
                )
                continue
            try:
                for seen in look():
                    yield self._finding(link, seen)
            except PullpassError as error:
                advice = _UNREACHABLE if isinstance(error, TransportError) else ""
                yield self._finding(link, (Level.ERROR, str(error), advice), error.exit_status)
                broken = link if needed else ""

    def _finding(self, link: str, seen: Seen, exit_status: int = 0) -> Finding:
        level, saw, advice = seen
        return Finding(
            registry=self.registry,
            link=link,
            level=level,
            saw=saw,
            advice=advice,
            exit_status=exit_status,
        )

    def _look_at_entry(self) -> Iterator[Seen]:
        query = Query(registry=self.registry, repository=self.repository)
        self._plan = plan(self.config, query)
        asked = self.repository or "the whole host"
        entry = self._plan.entry
        identity = f"issuer {entry.issuer}, role {entry.role}"
        provider = self._plan.registry.provider
        yield Level.OK, f"{entry.key} answers for {asked}: {identity}, provider {provider}", ""

    def _look_at_identity(self) -> Iterator[Seen]:
        self._minted = run(identify(self.minter, self._plan, process_facts()), self._watch)
        claims = self._minted.claims
        algorithm = read_token(self._minted.token.reveal()).header_text("alg")
        told = " ".join(f"{name}={claims[name]}" for name in ("iss", "sub", "aud"))
        yield Level.OK, f"{told}, {algorithm}, lives {claims['exp'] - claims['iat']}s", ""

    def _look_at_issuer(self) -> Iterator[Seen]:
        issuer = self._minted.claims["iss"]
        advice = "the exchange must reach the same documents: try it from a host of its network"
        try:
            keys = run(fetch_keys(issuer), self._watch)
        except TransportError as error:
            yield Level.WARNING, f"seen from here: {error}", advice
            return
        if self._minted.kid not in keys:
            raise TokenRefused(
                f"the JWKS of {issuer} does not hold kid {self._minted.kid}, so nobody will believe"
                " this token: is the issuer that is served another one?"
            )
        yield Level.OK, f"seen from here: discovery and JWKS hold kid {self._minted.kid}", ""

    def _look_at_exchange(self) -> Iterator[Seen]:
        self._credential = run(trade(self._plan, self._minted, self.now), self._watch)
        provider, username = self._plan.registry.provider, self._credential.username
        if self._plan.spec.steps:
            yield Level.OK, f"{provider} gave a credential for {username}", ""
        else:
            yield Level.OK, f"{provider} shows the identity itself, as user {username}", ""

    def _look_at_lifetime(self) -> Iterator[Seen]:
        expires_at = self._credential.expires_at
        if expires_at is None:
            advice = "let the provider's spec say it under expires"
            yield Level.WARNING, "nobody says how long the credential lives", advice
            return
        left = int(expires_at - self.now())
        saw = f"the credential lives {left}s"
        if left >= SHORT_LIFE:
            yield Level.OK, saw, ""
            return
        advice = "buildx keeps one for up to ten minutes: let the exchange give a longer one"
        yield Level.WARNING, saw, advice

    def _look_at_registry(self) -> Iterator[Seen]:
        registry = self._plan.registry
        place = Place(registry=registry.address, plaintext=registry.insecure)
        refusal = self._knock(place)
        if refusal.status == 200:
            yield Level.WARNING, "the registry lets everybody in", "close it, or drop its entry"
            return
        if refusal.status != 401:
            raise RegistryError(
                f"{place.registry}: /v2/ answers with status {refusal.status}: is it a registry?"
            )
        asked = self._scopes()
        grant = run(authenticate(place, refusal, self._credential, asked), self._watch)
        shown = _shown(grant)
        answer = self._knock(place, grant)
        if answer.status in {401, 403}:
            raise RegistryError(
                f"{place.registry}: it refuses {shown} with {answer.status}: does it trust the key,"
                " the issuer and the service of whoever gave it?"
            )
        _check_grant(grant, asked)
        covers = f", which covers {asked[0]}" if asked and grant.granted is not None else ""
        yield Level.OK, f"the registry takes {shown}{covers}", ""

    def _look_at_clock(self) -> Iterator[Seen]:
        if not self._watch.skews:
            yield Level.NOT_TRIED, "nobody told the time", ""
            return
        origin, skew = max(self._watch.skews.items(), key=lambda item: abs(item[1]))
        if abs(skew) <= MAX_SKEW:
            yield Level.OK, f"within {abs(skew):.0f}s of {origin}", ""
            return
        side = "behind" if skew > 0 else "ahead of"
        raise TokenRefused(
            f"this clock is {abs(skew):.0f}s {side} that of {origin}, and tokens are good between"
            " two points in time: run a time service on both"
        )

    def _knock(self, place: Place, grant: Grant | None = None) -> Response:
        headers = {"Authorization": grant.authorization.reveal()} if grant else {}
        return self._watch.send(Request(method="GET", url=place.url(""), headers=headers))

    def _scopes(self) -> tuple[Scope, ...]:
        if self.repository is None:
            return ()
        pull = frozenset({"pull"})
        return (Scope(type="repository", name=self.repository, actions=pull),)


def _shown(grant: Grant) -> str:
    """Names what the registry is shown."""
    if grant.challenge.scheme != "bearer":
        return "the credential"
    realm = Request(method="GET", url=grant.challenge.parameters.get("realm", ""))
    return f"the token of {realm.origin}"


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
