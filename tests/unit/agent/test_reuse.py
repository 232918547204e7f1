from dataclasses import dataclass

import pytest

from pullpass.agent.reuse import CAPACITY, MIN_LEFT, Grant, Kept, reusable_until
from pullpass.credential import Credential
from pullpass.secret import Secret

START = 1_800_000_000.0
TEN_MINUTES = 600


@dataclass
class Clock:
    time: float = START

    def __call__(self) -> float:
        return self.time


def grant(
    expires_at: float | None = START + 3600, secret: str = "a", reuse: int = TEN_MINUTES
) -> Grant:
    credential = Credential(username="puller", secret=Secret(secret), expires_at=expires_at)
    return Grant(
        credential=credential,
        entry="entry",
        minted_at=START,
        token_id="id",
        fingerprint="sha256",
        until=reusable_until(credential, START, reuse),
    )


def kept(now: Clock) -> Kept[Grant]:
    return Kept(now=now)


@pytest.mark.parametrize(
    ("later", "lifetime", "reuse", "again"),
    [
        (0, 3600, TEN_MINUTES, True),
        (TEN_MINUTES - 1, 3600, TEN_MINUTES, True),
        (TEN_MINUTES, 3600, TEN_MINUTES, False),
        (0, 3600, 0, False),
        (0, MIN_LEFT, TEN_MINUTES, False),
        (0, MIN_LEFT + 1, TEN_MINUTES, True),
        (1, MIN_LEFT + 1, TEN_MINUTES, False),
        (3299, 3600, 86400, True),
        (3300, 3600, 86400, False),
        (-1, 3600, TEN_MINUTES, False),  # the clock was set back
    ],
)
def test_a_credential_is_given_again_within_its_bounds(
    *, later: float, lifetime: int, reuse: int, again: bool
) -> None:
    clock = Clock()
    memory = kept(clock)
    given = grant(START + lifetime, reuse=reuse)
    memory.put("key", given)
    clock.time += later
    assert memory.get("key") == (given if again else None)


def test_what_nobody_dated_is_not_kept() -> None:
    memory = kept(Clock())
    memory.put("key", grant(None))
    assert memory.get("key") is None


def test_what_is_over_leaves_memory_at_the_next_look() -> None:
    clock = Clock()
    memory = kept(clock)
    memory.put("key", grant())
    clock.time += TEN_MINUTES
    assert memory.get("other") is None
    clock.time = START
    assert memory.get("key") is None


def test_a_key_that_differs_finds_nothing() -> None:
    memory = kept(Clock())
    memory.put("key", grant())
    assert memory.get("other") is None


def test_what_was_dropped_is_gone() -> None:
    memory = kept(Clock())
    memory.put("key", grant())
    memory.drop("key")
    memory.drop("never there")
    assert memory.get("key") is None


def test_the_oldest_makes_room() -> None:
    memory = kept(Clock())
    for number in range(CAPACITY + 1):
        memory.put(number, grant(secret=str(number)))
    assert memory.get(0) is None
    assert memory.get(1)
    assert memory.get(CAPACITY) == grant(secret=str(CAPACITY))


def test_a_grant_shows_no_secret() -> None:
    assert "hunter2" not in repr(grant(secret="hunter2"))
