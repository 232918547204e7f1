import math
from dataclasses import replace
from typing import Final

import pytest

from fakes.issuing import transit_key, version
from fakes.key_files import key_settings
from pullpass.config.issuers import MAX_PUBLISHED
from pullpass.config.issuing import KeySettings
from pullpass.errors import KeyStoreError
from pullpass.jose import generate_key
from pullpass.keys import rotation
from pullpass.keys.transit import TransitKey, Version

DAY: Final = 86400
LEAD: Final = DAY
GRACE: Final = 4200
EVERY: Final = 30 * DAY
AUTOMATIC: Final = key_settings(rotate_every=EVERY, publish_lead=LEAD, retire_grace=GRACE)
BY_HAND: Final = key_settings(publish_lead=LEAD, retire_grace=GRACE)


def states(key: TransitKey) -> dict[int, str]:
    return {version.number: str(version.state) for version in key.versions}


def made(number: int = 2) -> Version:
    return version(number, "created", generate_key())


def rotated(now: float, settings: KeySettings = BY_HAND) -> TransitKey:
    """Returns a key whose second version was made at now."""
    return rotation.add(transit_key("k"), made(), static=settings.static, now=now)


def test_a_version_lives_through_its_states_in_their_order_and_time() -> None:
    key = transit_key("k")
    seen: list[tuple[int, dict[int, str]]] = []
    for now in range(0, EVERY + 3 * GRACE, 600):
        key = rotation.advance(key, AUTOMATIC, now)
        if rotation.wants_version(key, AUTOMATIC, now):
            key = rotation.add(key, made(), static=False, now=now)
        if not seen or seen[-1][1] != states(key):
            seen.append((now, states(key)))
    assert seen == [
        (0, {1: "active"}),
        (EVERY - LEAD, {1: "active", 2: "published"}),
        (EVERY, {1: "retiring", 2: "active"}),
        (EVERY + GRACE, {1: "retired", 2: "active"}),
        (EVERY + 2 * GRACE, {1: "destroyed", 2: "active"}),
    ]
    assert key.versions[0].key is None


def test_what_is_due_is_said_beforehand() -> None:
    key = transit_key("k")
    assert rotation.due(key, AUTOMATIC) == EVERY - LEAD
    key = rotation.add(key, made(), static=False, now=EVERY - LEAD)
    assert rotation.due(key, AUTOMATIC) == EVERY
    key = rotation.advance(key, AUTOMATIC, EVERY)
    assert rotation.due(key, AUTOMATIC) == EVERY + GRACE
    assert rotation.due(transit_key("k"), BY_HAND) == math.inf


def test_a_key_that_nobody_looked_at_for_a_year_goes_one_step_at_a_time() -> None:
    key = rotation.advance(rotated(now=0), AUTOMATIC, 365 * DAY)
    assert states(key) == {1: "retiring", 2: "active"}
    assert not rotation.wants_version(key, AUTOMATIC, 365 * DAY)


def test_a_version_made_by_hand_signs_once_it_was_shown_long_enough() -> None:
    key = rotated(now=100.5)
    early = rotation.advance(key, BY_HAND, 100.5 + LEAD)
    assert states(early) == {1: "active", 2: "published"}  # shown since 101, rounded up
    assert states(rotation.advance(key, BY_HAND, 101 + LEAD)) == {1: "retiring", 2: "active"}


def test_a_clock_that_was_set_back_changes_nothing() -> None:
    key = rotation.advance(rotated(now=100), BY_HAND, 100 + LEAD)
    for now in (100 + LEAD - 3600, 0, -1):
        assert rotation.advance(key, BY_HAND, now) is key


def test_where_documents_are_published_by_command_a_version_waits_for_it() -> None:
    static = replace(AUTOMATIC, static=True)
    key = rotated(now=0, settings=static)
    assert states(rotation.advance(key, static, 365 * DAY)) == {1: "active", 2: "created"}
    assert rotation.due(key, static) == math.inf
    shown = rotation.show(key, now=DAY)
    assert states(shown) == {1: "active", 2: "published"}
    assert rotation.due(shown, static) == 2 * DAY
    assert rotation.show(shown, now=2 * DAY) is shown


def test_one_successor_is_made_at_a_time() -> None:
    with pytest.raises(KeyStoreError, match="version 2 is to sign next already"):
        rotation.add(rotated(now=0), made(3), static=False, now=1)


def test_no_more_versions_are_shown_than_relying_parties_read() -> None:
    crowded = transit_key("k", *["retiring"] * (MAX_PUBLISHED - 1), "active")
    assert rotation.next_version_at(crowded, AUTOMATIC) == math.inf
    with pytest.raises(KeyStoreError, match="shows 5 versions already"):
        rotation.add(crowded, made(6), static=False, now=0)


def test_in_an_emergency_the_next_version_signs_at_once() -> None:
    assert states(rotation.activate(rotated(now=0), 1)) == {1: "retiring", 2: "active"}
    with pytest.raises(KeyStoreError, match="has no next version"):
        rotation.activate(transit_key("k"), 1)


@pytest.mark.parametrize("state", ["created", "published", "retiring", "retired", "destroyed"])
def test_any_version_can_be_compromised_and_the_active_one_signs_on(state: str) -> None:
    key = rotation.compromise(transit_key("k", state, "active"), 1, None, 5)
    assert states(key) == {1: "compromised", 2: "active"}
    assert key.versions[0].key is None
    assert key.versions[0] not in key.published
    assert rotation.due(key, BY_HAND) == math.inf


def test_where_the_active_version_is_compromised_its_successor_signs_at_once() -> None:
    waiting = rotation.compromise(rotated(now=0), 1, None, 5)
    assert states(waiting) == {1: "compromised", 2: "active"}
    alone = rotation.compromise(transit_key("k"), 1, made(), 5)
    assert states(alone) == {1: "compromised", 2: "active"}
    crowded = transit_key("k", *["retiring"] * (MAX_PUBLISHED - 1), "active")
    relieved = rotation.compromise(crowded, MAX_PUBLISHED, made(6), 5)
    assert states(relieved)[6] == "active"
    with pytest.raises(KeyStoreError, match="no next version"):
        rotation.compromise(transit_key("k"), 1, None, 5)


def test_a_version_is_retired_by_hand_once_nothing_it_signed_is_alive() -> None:
    key = rotation.activate(rotated(now=0), 10)
    with pytest.raises(KeyStoreError, match=f"tokens of version 1 may live for {GRACE - 1}s"):
        rotation.retire(key, 1, BY_HAND, 11)
    assert states(rotation.retire(key, 1, BY_HAND, 10 + GRACE)) == {1: "retired", 2: "active"}
    assert states(rotation.retire(rotated(now=0), 2, BY_HAND, 1)) == {1: "active", 2: "retired"}


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("active", "version 1 is active: rotate the key first"),
        ("retired", "version 1 is retired"),
        ("destroyed", "version 1 is destroyed"),
        ("compromised", "version 1 is compromised"),
    ],
)
def test_what_signs_or_is_gone_is_not_retired(state: str, reason: str) -> None:
    with pytest.raises(KeyStoreError, match=reason):
        rotation.retire(transit_key("k", state), 1, BY_HAND, 0)


def test_a_version_that_is_not_there_is_neither_retired_nor_compromised() -> None:
    with pytest.raises(KeyStoreError, match="key k has no version 7"):
        rotation.retire(transit_key("k"), 7, BY_HAND, 0)
    with pytest.raises(KeyStoreError, match="key k has no version 7"):
        rotation.compromise(transit_key("k"), 7, None, 0)


def test_a_record_does_not_grow_for_ever() -> None:
    key = transit_key("k", *["destroyed"] * 30, "retired", "active")
    kept = rotation.advance(key, BY_HAND, GRACE)
    assert list(states(kept)) == [*range(22, 32), 32]


def test_what_comes_next_is_told_of_each_version() -> None:
    key = rotated(now=0)
    active, published = key.versions
    assert rotation.coming(key, AUTOMATIC, published) == {"active": LEAD}
    assert rotation.coming(key, AUTOMATIC, active) == {}
    only = transit_key("k")
    assert rotation.coming(only, AUTOMATIC, only.active) == {"successor": EVERY - LEAD}
    assert rotation.coming(only, BY_HAND, only.active) == {}
