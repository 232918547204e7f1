"""Whatever is done to a key and whenever: what was signed with it verifies while it lives.

Time is virtual. Two processes share a store and act in any order; caches of the JWKS are as old as
they may be.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.issuing import Ledger
from fakes.key_files import local
from fakes.key_stores import MemoryKeyStore
from fakes.settings import ISSUER, REGISTRY, role
from pullpass.config.issuers import MAX_PUBLISHED
from pullpass.config.issuing import Issuer
from pullpass.config.keys import MAX_LAG, MAX_SKEW
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import KeyStoreError
from pullpass.issuer.documents import jwks
from pullpass.issuer.mint import Minter
from pullpass.issuer.role import MintRequest
from pullpass.keys import hand
from pullpass.keys.source import Keys
from pullpass.keys.transit import State, TransitKey

START: Final = 1_800_000_000
STEPS: Final = ("look", "mint", "rotate")
ALL: Final = (*STEPS, "emergency", "compromise", "retire", "break", "mend")

Steps = list[tuple[float | str, int, str, float]]  # pause, process, what, part of the longest life


@dataclass
class World:
    """A store, two processes, and what everybody could ever see."""

    config: Config
    now: float = START
    shown: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    tokens: list[tuple[float, float, str]] = field(default_factory=list)
    activated: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = MemoryKeyStore(self.changed)
        self.processes = [self.process(), self.process()]
        local(self.processes[0].keys.create("k"))

    def process(self) -> "Process":
        keys = Keys(settings=self.config.keys, stores={"k": self.store}, now=lambda: self.now)
        minter = Minter(
            issuers=self.config.issuers, keys=keys, audit=Ledger(), now=lambda: self.now
        )
        return Process(keys, minter)

    @property
    def issuer(self) -> Issuer:
        return self.config.issuers["nodes"]

    def changed(self, key: TransitKey) -> None:
        assert len(key.of(State.ACTIVE)) == 1
        assert len(key.published) <= MAX_PUBLISHED
        self.activated.setdefault(key.active.kid, self.now)
        self.shown.append((self.now, frozenset(jwk["kid"] for jwk in jwks(key)["keys"])))

    def step(self, at: int, kind: str, ttl: int) -> None:
        keys, minter = self.processes[at].keys, self.processes[at].minter
        number = local(keys.look("k")).active.number if not self.store.broken else 1
        match kind:
            case "look":
                local(keys.load("k"))
            case "mint":
                request = MintRequest(audiences=(REGISTRY,), ttl=ttl)
                minted = local(minter.mint("nodes", "docker-pull", request))
                self.tokens.append((self.now, minted.claims["exp"], minted.kid))
            case "rotate" | "emergency":
                local(hand.rotate(keys, "k", emergency=kind == "emergency"))
            case "compromise":
                local(hand.compromise(keys, "k", number))
            case "retire":
                local(hand.retire(keys, "k", number - 1))
            case "break" | "mend":
                self.store.broken = kind == "break"

    def pause(self, asked: float | str) -> float:
        """Returns seconds; the times that the settings name are where something may go wrong."""
        if isinstance(asked, str):
            seconds: int = getattr(self.config.keys["k"], asked)
            return seconds
        return asked

    def run(self, steps: Steps) -> None:
        for pause, at, kind, part in steps:
            self.now += self.pause(pause)
            ttl = max(1, int(part * self.issuer.max_ttl))
            try:
                self.step(at, kind, ttl)
            except KeyStoreError:
                assert kind != "mint" or self.store.broken

    def missing(self) -> list[tuple[float, float, str]]:
        """Returns the tokens that some cache of the JWKS did not know in their life."""
        oldest = self.issuer.jwks_max_age + MAX_LAG
        return [
            (signed, ends, kid)
            for signed, ends, kid in self.tokens
            for kids in self._seen(signed - oldest, ends + MAX_SKEW)
            if kid not in kids
        ]

    def _seen(self, first: float, last: float) -> list[frozenset[str]]:
        """Returns what was shown from first to last, and just before."""
        before = [kids for when, kids in self.shown if when <= first][-1:]
        return before + [kids for when, kids in self.shown if first < when <= last]


@dataclass(frozen=True, slots=True)
class Process:
    keys: Keys
    minter: Minter


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draws settings that the configuration lets through."""
    max_ttl = draw(st.integers(300, 7200))
    max_age = draw(st.integers(1, 900))
    least = max_ttl + MAX_SKEW + max_age
    lead = max_age + MAX_LAG + draw(st.integers(0, 2000))
    grace = least + draw(st.just(0) | st.integers(0, 5000))
    every = lead + grace + draw(st.integers(0, 20000))
    key = {"publish_lead": f"{lead}s", "retire_grace": f"{grace}s", "rotate_every": f"{every}s"}
    issuer = {
        "issuer": ISSUER,
        "signing_key": "k",
        "max_ttl": f"{max_ttl}s",
        "jwks_max_age": f"{max_age}s",
        "roles": {"docker-pull": role(max_ttl=f"{max_ttl}s")},
    }
    return World(parse({"keys": {"k": key}, "issuers": {"nodes": issuer}}, Path("/nowhere")))


def steps(*kinds: str) -> st.SearchStrategy[Steps]:
    named = st.sampled_from(["publish_lead", "retire_grace", "rotate_every"])
    pause = st.one_of(st.just(0.0), st.floats(0, 100), st.floats(0, 5000), named)
    part = st.one_of(st.just(1.0), st.floats(0, 1))  # of the longest life
    one = st.tuples(pause, st.integers(0, 1), st.sampled_from(kinds), part)
    return st.lists(one, max_size=40)


@settings(max_examples=300)
@given(worlds(), steps(*STEPS, "mint", "mint"))
def test_every_token_verifies_by_every_cache_throughout_its_life(world: World, acts: Steps) -> None:
    world.run(acts)
    assert world.missing() == []


@settings(max_examples=300)
@given(worlds(), steps(*STEPS))
def test_nothing_signs_before_it_was_shown_long_enough(world: World, acts: Steps) -> None:
    world.run(acts)
    first = next(iter(world.activated))
    for kid, active in world.activated.items():
        since = min(when for when, kids in world.shown if kid in kids)
        assert kid == first or active - since >= world.config.keys["k"].publish_lead


@settings(max_examples=300)
@given(worlds(), steps(*ALL))
def test_whatever_happens_one_version_is_active_and_whoever_mints_is_told_why_not(
    world: World, acts: Steps
) -> None:
    world.run(acts)
    world.store.broken = False
    world.run([(0, 0, "mint", 1), (0, 1, "mint", 1)])
    assert len(world.tokens) >= 2
