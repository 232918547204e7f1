"""How the versions of a key succeed each other. Pure: a key and a time in, a key out.

    created ─► published ─► active ─► retiring ─► retired ─► destroyed
       any of them but the last ─► compromised

Rules kept here:

1. A version signs only after its public half was shown for ``publish_lead``, so that every cache of
   the JWKS knows it. Only an emergency breaks this.
2. There is exactly one active version: its successor becomes active in the very change in which it
   begins to retire.
3. A version is shown until ``retire_grace`` after it signed last, when nothing it signed lives.
4. Where a clock was set back, all of this happens later, never earlier.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pullpass.config.issuers import MAX_PUBLISHED
from pullpass.config.issuing import KeySettings
from pullpass.errors import KeyStoreError
from pullpass.keys.transit import State, TransitKey, Version

REMEMBERED: Final = 10  # versions without a private half that a key's record still names
GONE: Final = frozenset({State.DESTROYED, State.COMPROMISED})


def due(key: TransitKey, settings: KeySettings) -> float:
    """Returns when the next change of key is due, Unix seconds; infinity for never."""
    moments = [moment for moment, _, _ in changes(key, settings)]
    return min([*moments, next_version_at(key, settings)])


def wants_version(key: TransitKey, settings: KeySettings, now: float) -> bool:
    """Tells whether it is time to make the version that signs next."""
    return now >= next_version_at(key, settings)


def advance(key: TransitKey, settings: KeySettings, now: float) -> TransitKey:
    """Returns key after every change that is due at now. It makes no version."""
    while found := [change for change in changes(key, settings) if change[0] <= now]:
        _, number, state = min(found)
        key = _moved(key, number, state, now)
    return key


def add(key: TransitKey, made: Version, *, static: bool, now: float) -> TransitKey:
    """Returns key with a successor made of the active version, shown from now on unless static.

    Raises:
        KeyStoreError: if one waits already, or too many are shown.
    """
    if key.upcoming:
        raise KeyStoreError(
            f"key {key.name}: version {key.upcoming.number} is to sign next already"
        )
    if len(key.published) >= MAX_PUBLISHED:
        raise KeyStoreError(
            f"key {key.name} shows {MAX_PUBLISHED} versions already: wait until one is retired"
        )
    key = replace(key, versions=(*key.versions, made))
    return key if static else _moved(key, made.number, State.PUBLISHED, now)


def show(key: TransitKey, now: float) -> TransitKey:
    """Returns key once all that it has to show is published: what was created begins to count."""
    created = key.of(State.CREATED)
    return _moved(key, created[0].number, State.PUBLISHED, now) if created else key


def activate(key: TransitKey, now: float) -> TransitKey:
    """Returns key with its next version active at once. Caches of the JWKS may not know it yet.

    Raises:
        KeyStoreError: if none was made.
    """
    if key.upcoming is None:
        raise KeyStoreError(f"key {key.name} has no next version")
    return _moved(key, key.upcoming.number, State.ACTIVE, now)


def retire(key: TransitKey, number: int, settings: KeySettings, now: float) -> TransitKey:
    """Returns key without version number among the shown, once nothing it signed is alive.

    Raises:
        KeyStoreError: if something may be, or it is not there to be retired.
    """
    version = find(key, number)
    if version.state not in {State.CREATED, State.PUBLISHED, State.RETIRING}:
        advice = ": rotate the key first" if version.state is State.ACTIVE else ""
        raise KeyStoreError(f"key {key.name}: version {number} is {version.state}{advice}")
    left = math.ceil(version.since + settings.retire_grace - now)
    if version.state is State.RETIRING and left > 0:
        raise KeyStoreError(
            f"key {key.name}: tokens of version {number} may live for {left}s: wait, or say that it"
            " is compromised"
        )
    return _moved(key, number, State.RETIRED, now)


def compromise(key: TransitKey, number: int, made: Version | None, now: float) -> TransitKey:
    """Returns key without version number in any use from now on.

    Where it was active its successor takes over at once, which is made unless one waits already.

    Raises:
        KeyStoreError: if there is none of that number.
    """
    was_active = find(key, number).state is State.ACTIVE
    key = _moved(key, number, State.COMPROMISED, now)
    if made is not None:
        key = add(key, made, static=True, now=now)
    return activate(key, now) if was_active else key


def find(key: TransitKey, number: int) -> Version:
    """Returns version number of key. Raises: KeyStoreError if there is none."""
    for version in key.versions:
        if version.number == number:
            return version
    raise KeyStoreError(f"key {key.name} has no version {number}")


def changes(key: TransitKey, settings: KeySettings) -> Iterator[tuple[float, int, State]]:
    """Yields when which version comes into which state, but for the making of a version."""
    for version in key.versions:
        match version.state:
            case State.CREATED if not settings.static:
                yield version.since, version.number, State.PUBLISHED
            case State.PUBLISHED:
                yield version.since + settings.publish_lead, version.number, State.ACTIVE
            case State.RETIRING:
                yield version.since + settings.retire_grace, version.number, State.RETIRED
            case State.RETIRED:
                yield version.since + settings.retire_grace, version.number, State.DESTROYED


def coming(key: TransitKey, settings: KeySettings, version: Version) -> dict[str, float]:
    """Returns what comes next for version by itself and when, Unix seconds; empty for nothing."""
    if version.state is State.ACTIVE:
        moment = next_version_at(key, settings)
        return {} if math.isinf(moment) else {"successor": moment}
    return {
        state: moment
        for moment, number, state in changes(key, settings)
        if number == version.number
    }


def next_version_at(key: TransitKey, settings: KeySettings) -> float:
    """Returns when the version that signs next is to be made, infinity for not by itself."""
    active = key.of(State.ACTIVE)
    crowded = len(key.published) >= MAX_PUBLISHED
    if not settings.rotate_every or not active or key.upcoming or crowded:
        return math.inf
    return active[0].since + settings.rotate_every - settings.publish_lead


def _moved(key: TransitKey, number: int, state: State, now: float) -> TransitKey:
    """Returns key with one version in another state, and the active one retiring if it is that."""
    since = math.ceil(now)  # never a moment too early
    moved = [_into(version, number, state, since) for version in key.versions]
    gone = [version.number for version in moved if version.state in GONE][:-REMEMBERED]
    kept = tuple(version for version in moved if version.number not in gone)
    return replace(key, versions=kept)


def _into(version: Version, number: int, state: State, since: int) -> Version:
    if version.number == number:
        key = None if state in GONE else version.key
        return replace(version, state=state, since=since, key=key)
    if state is State.ACTIVE and version.state is State.ACTIVE:
        return replace(version, state=State.RETIRING, since=since)
    return version
