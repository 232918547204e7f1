import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.jose import generate_key
from pullpass.verifier.cache import COOL_DOWN, MAX_STALE, REFRESH_AFTER, KeyCache

ISSUER = "https://id.example.com"
KEY = generate_key().public
NEW = generate_key().public
KEYS = {"a": KEY}


def warm() -> KeyCache:
    cache = KeyCache()
    cache.fetched(ISSUER, KEYS, 0.0)
    return cache


def test_a_cold_cache_has_nothing_and_wants_all() -> None:
    cache = KeyCache()
    assert cache.keys(ISSUER, 0.0) == {}
    assert cache.wants_fetch(ISSUER, "a", 0.0)


@pytest.mark.parametrize(
    ("kid", "now", "wants"),
    [
        ("a", 0, False),
        ("a", COOL_DOWN, False),
        ("a", REFRESH_AFTER - 1, False),
        ("a", REFRESH_AFTER, True),
        ("unknown", 0, False),
        ("unknown", COOL_DOWN - 1, False),
        ("unknown", COOL_DOWN, True),
        ("", COOL_DOWN, True),
    ],
)
def test_keys_are_fetched_when_they_are_old_or_a_kid_is_new(
    kid: str, now: float, wants: object
) -> None:
    assert warm().wants_fetch(ISSUER, kid, now) is wants


@pytest.mark.parametrize(
    ("now", "kept"), [(0, KEYS), (REFRESH_AFTER, KEYS), (MAX_STALE - 1, KEYS), (MAX_STALE, {})]
)
def test_keys_outlive_their_silent_issuer_for_a_day(now: float, kept: object) -> None:
    cache = warm()
    for tried in range(0, int(now) + 1, 3600):
        cache.failed(ISSUER, float(tried))
    assert cache.keys(ISSUER, now) == kept


def test_after_a_failure_it_cools_down() -> None:
    cache = KeyCache()
    cache.failed(ISSUER, 0.0)
    assert not cache.wants_fetch(ISSUER, "a", COOL_DOWN - 1)
    assert cache.wants_fetch(ISSUER, "a", COOL_DOWN)


def test_keys_that_were_withdrawn_are_gone_with_the_next_fetch() -> None:
    cache = warm()
    cache.fetched(ISSUER, {"b": NEW}, REFRESH_AFTER)
    assert cache.keys(ISSUER, REFRESH_AFTER) == {"b": NEW}


def test_issuers_do_not_share_keys() -> None:
    cache = warm()
    assert cache.keys(f"{ISSUER}/", 0.0) == {}
    assert cache.wants_fetch(f"{ISSUER}/", "a", 0.0)


@given(st.lists(st.tuples(st.floats(0, 20), st.text(max_size=2), st.booleans()), max_size=200))
def test_no_tokens_make_a_storm(arrivals: list[tuple[float, str, bool]]) -> None:
    cache = warm()
    now, fetches = 0.0, 0
    for pause, kid, answers in arrivals:
        now += pause
        if cache.wants_fetch(ISSUER, kid, now):
            fetches += 1
            if answers:
                cache.fetched(ISSUER, KEYS, now)
            else:
                cache.failed(ISSUER, now)
    assert fetches <= now / COOL_DOWN
    assert cache.keys(ISSUER, now) == KEYS
