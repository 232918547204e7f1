"""The links of one registry's chain, looked at in the order in which a pull uses them."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pullpass.check import documents, identity, registry
from pullpass.check.clock import ClockWatch
from pullpass.check.finding import Finding, Level, Seen, finding
from pullpass.claims import UnverifiedToken
from pullpass.config.model import Config, Registry, Stored
from pullpass.credential import Credential
from pullpass.errors import (
    ExchangeDenied,
    KeyStoreError,
    PullpassError,
    TokenRefused,
    TransportError,
)
from pullpass.http import MAX_SKEW, Transport, run
from pullpass.identity.edge import LocalEdge
from pullpass.identity.facts import process_facts
from pullpass.identity.token import SubjectToken
from pullpass.issuer.mint import Minter
from pullpass.registry.place import Place
from pullpass.resolve.choose import Query, find
from pullpass.resolve.flow import Plan, identify, plan, trade
from pullpass.resolve.stored import fetch_stored

SHORT_LIFE: Final = 600  # seconds; buildx keeps a helper's answer for minutes
_UNREACHABLE: Final = "see that it is up, and reachable from here under exactly this address"
_NO_KEY: Final = "where an agent has the keys, run this as the agent's user"
_OPAQUE: Final = Seen(Level.NOT_TRIED, "the identity is no JWT: nothing can be read of it")

Look = Callable[[], Seen]


@dataclass(slots=True, kw_only=True)
class Walk:
    """One registry's chain. What one link gives, the next ones use.

    Attributes:
        repository: what to ask a token for, None to ask for none.
        expected: globs over the claims that the registry's side wants, by claim.
        environ: the environment of whoever looks.
        now: the clock, Unix seconds.
    """

    config: Config
    minter: Minter
    transport: Transport
    registry: str
    repository: str | None = None
    expected: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    now: Callable[[], float] = time.time
    _watch: ClockWatch = field(init=False, repr=False)
    _found: Registry = field(init=False, repr=False)
    _stored: Stored | None = field(init=False, default=None)
    _plan: Plan = field(init=False, repr=False)
    _shown: SubjectToken = field(init=False, repr=False)
    _token: UnverifiedToken | None = field(init=False, repr=False, default=None)
    _credential: Credential = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._watch = ClockWatch(transport=self.transport, now=self.now)

    def findings(self) -> Iterator[Finding]:
        """Yields what is found at each link; after an error, those that need it are not tried."""
        broken = ""
        for link, look, needed in self._links():
            if broken and link != "clock":
                yield finding(
                    self.registry, link, Seen(Level.NOT_TRIED, f"not tried, since {broken} failed")
                )
                continue
            try:
                yield finding(self.registry, link, look())
            except PullpassError as error:
                seen = Seen(Level.ERROR, str(error), self._advice(error))
                yield finding(self.registry, link, seen, error.exit_status)
                broken = link if needed else ""

    def _links(self) -> Iterator[tuple[str, Look, bool]]:
        """Yields each link, how it is looked at and whether those behind it need it."""
        yield "entry", self._look_at_entry, True
        if self._stored:
            yield "store", partial(self._look_at_store, self._stored), True
            yield "registry", self._look_at_registry, False
            yield "clock", self._look_at_clock, False
            return
        yield "identity", self._look_at_identity, True
        yield "trust", self._reading(lambda token: identity.judge(token, self._plan.spec)), False
        if self.expected:
            yield "claims", self._reading(partial(identity.compare, expected=self.expected)), False
        yield "issuer", self._reading(partial(documents.look, transport=self._watch)), False
        yield "exchange", self._look_at_exchange, True
        yield "lifetime", self._look_at_lifetime, False
        yield "registry", self._look_at_registry, False
        yield "clock", self._look_at_clock, False

    def _reading(self, look: Callable[[UnverifiedToken], Seen]) -> Look:
        """Returns a look at what the identity says, where that can be read."""
        return lambda: look(self._token) if self._token else _OPAQUE

    def _advice(self, error: PullpassError) -> str:
        if isinstance(error, TransportError):
            return _UNREACHABLE
        if isinstance(error.__cause__, KeyStoreError):
            return _NO_KEY
        if isinstance(error, ExchangeDenied) and self._token:
            told = identity.every_claim(self._token)
            return f"compare the rules of the registry's side with what the token says: {told}"
        return ""

    def _look_at_entry(self) -> Seen:
        query = Query(registry=self.registry, repository=self.repository)
        self._found, entry = find(self.config, query)
        told = str(entry.source)
        if isinstance(entry.source, Stored):
            self._stored = entry.source
        else:
            self._plan = plan(self.config, query)
            told = f"{told}, provider {self._found.provider}"
        return Seen(
            Level.OK, f"{entry.key} answers for {self.repository or 'the whole host'}: {told}"
        )

    def _look_at_store(self, stored: Stored) -> Seen:
        flow = fetch_stored(self._found, stored, self.environ)
        self._credential = run(flow, LocalEdge(self._watch))
        return Seen(Level.OK, f"it holds a credential for {self._credential.username}")

    def _look_at_identity(self) -> Seen:
        flow = identify(self.minter, self._plan, process_facts(), self.environ, self.now)
        self._shown = run(flow, LocalEdge(self._watch))
        self._token = self._shown.said if self._shown.said.claims else None
        return Seen(Level.OK, identity.describe(self._shown, self.now()))

    def _look_at_exchange(self) -> Seen:
        self._credential = run(trade(self._plan, self._shown, self.now), self._watch)
        provider, username = self._plan.registry.provider, self._credential.username
        if self._plan.spec.steps:
            return Seen(Level.OK, f"{provider} gave a credential for {username}")
        return Seen(Level.OK, f"{provider} shows the identity itself, as user {username}")

    def _look_at_lifetime(self) -> Seen:
        expires_at = self._credential.expires_at
        if expires_at is None:
            advice = "let the provider's spec say it under expires"
            return Seen(Level.WARNING, "nobody says how long the credential lives", advice)
        left = int(expires_at - self.now())
        saw = f"the credential lives {left}s"
        if left >= SHORT_LIFE:
            return Seen(Level.OK, saw)
        advice = "buildx keeps one for up to ten minutes: let the exchange give a longer one"
        return Seen(Level.WARNING, saw, advice)

    def _look_at_registry(self) -> Seen:
        place = Place(registry=self._found.address, plaintext=self._found.insecure)
        return registry.look(place, self._credential, self.repository, self._watch)

    def _look_at_clock(self) -> Seen:
        if not self._watch.skews:
            return Seen(Level.NOT_TRIED, "nobody told the time")
        origin, skew = max(self._watch.skews.items(), key=lambda item: abs(item[1]))
        if abs(skew) <= MAX_SKEW:
            return Seen(Level.OK, f"within {abs(skew):.0f}s of {origin}")
        side = "behind" if skew > 0 else "ahead of"
        raise TokenRefused(
            f"this clock is {abs(skew):.0f}s {side} that of {origin}, and tokens are good between"
            " two points in time: run a time service on both"
        )
