"""The links of one registry's chain, looked at in the order in which a pull uses them."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
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

Look = Callable[[], Iterator[Seen]]


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
                for seen in look():
                    yield finding(self.registry, link, seen)
            except PullpassError as error:
                seen = Seen(Level.ERROR, str(error), self._advice(error))
                yield finding(self.registry, link, seen, error.exit_status)
                broken = link if needed else ""

    def _links(self) -> Iterator[tuple[str, Look, bool]]:
        """Yields each link, how it is looked at and whether those behind it need it."""
        yield "entry", self._look_at_entry, True
        if self._stored:
            yield "store", self._look_at_store, True
            yield "registry", self._look_at_registry, False
            yield "clock", self._look_at_clock, False
            return
        yield "identity", self._look_at_identity, True
        yield "trust", self._look_at_trust, False
        if self.expected:
            yield "claims", self._look_at_claims, False
        yield "issuer", self._look_at_issuer, False
        yield "exchange", self._look_at_exchange, True
        yield "lifetime", self._look_at_lifetime, False
        yield "registry", self._look_at_registry, False
        yield "clock", self._look_at_clock, False

    def _advice(self, error: PullpassError) -> str:
        if isinstance(error, TransportError):
            return _UNREACHABLE
        if isinstance(error.__cause__, KeyStoreError):
            return _NO_KEY
        if isinstance(error, ExchangeDenied) and self._token:
            told = identity.every_claim(self._token)
            return f"compare the rules of the registry's side with what the token says: {told}"
        return ""

    def _look_at_entry(self) -> Iterator[Seen]:
        query = Query(registry=self.registry, repository=self.repository)
        self._found, entry = find(self.config, query)
        told = str(entry.source)
        if isinstance(entry.source, Stored):
            self._stored = entry.source
        else:
            self._plan = plan(self.config, query)
            told = f"{told}, provider {self._found.provider}"
        yield Seen(
            Level.OK, f"{entry.key} answers for {self.repository or 'the whole host'}: {told}"
        )

    def _look_at_store(self) -> Iterator[Seen]:
        if self._stored:
            flow = fetch_stored(self._found, self._stored, self.environ)
            self._credential = run(flow, LocalEdge(self._watch))
            yield Seen(Level.OK, f"it holds a credential for {self._credential.username}")

    def _look_at_identity(self) -> Iterator[Seen]:
        flow = identify(self.minter, self._plan, process_facts(), self.environ, self.now)
        self._shown = run(flow, LocalEdge(self._watch))
        self._token = self._shown.said if self._shown.said.claims else None
        yield Seen(Level.OK, identity.describe(self._shown, self.now()))

    def _look_at_trust(self) -> Iterator[Seen]:
        if self._token is None:
            yield _OPAQUE
            return
        yield from identity.judge(self._token, self._plan.spec)

    def _look_at_claims(self) -> Iterator[Seen]:
        if self._token is None:
            yield _OPAQUE
            return
        yield from identity.compare(self._token, self.expected)

    def _look_at_issuer(self) -> Iterator[Seen]:
        if self._token is None:
            yield _OPAQUE
        else:
            yield from documents.look(self._token, self._watch)

    def _look_at_exchange(self) -> Iterator[Seen]:
        self._credential = run(trade(self._plan, self._shown, self.now), self._watch)
        provider, username = self._plan.registry.provider, self._credential.username
        if self._plan.spec.steps:
            yield Seen(Level.OK, f"{provider} gave a credential for {username}")
        else:
            yield Seen(Level.OK, f"{provider} shows the identity itself, as user {username}")

    def _look_at_lifetime(self) -> Iterator[Seen]:
        expires_at = self._credential.expires_at
        if expires_at is None:
            advice = "let the provider's spec say it under expires"
            yield Seen(Level.WARNING, "nobody says how long the credential lives", advice)
            return
        left = int(expires_at - self.now())
        saw = f"the credential lives {left}s"
        if left >= SHORT_LIFE:
            yield Seen(Level.OK, saw)
            return
        advice = "buildx keeps one for up to ten minutes: let the exchange give a longer one"
        yield Seen(Level.WARNING, saw, advice)

    def _look_at_registry(self) -> Iterator[Seen]:
        place = Place(registry=self._found.address, plaintext=self._found.insecure)
        yield from registry.look(place, self._credential, self.repository, self._watch)

    def _look_at_clock(self) -> Iterator[Seen]:
        if not self._watch.skews:
            yield Seen(Level.NOT_TRIED, "nobody told the time")
            return
        origin, skew = max(self._watch.skews.items(), key=lambda item: abs(item[1]))
        if abs(skew) <= MAX_SKEW:
            yield Seen(Level.OK, f"within {abs(skew):.0f}s of {origin}")
            return
        side = "behind" if skew > 0 else "ahead of"
        raise TokenRefused(
            f"this clock is {abs(skew):.0f}s {side} that of {origin}, and tokens are good between"
            " two points in time: run a time service on both"
        )
