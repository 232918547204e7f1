"""What every store of transit keys does, wherever they rest."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from contract.keys.conftest import Shared
from pullpass.config.issuing import KEY_ALGORITHMS
from pullpass.errors import KeyStoreError
from pullpass.http import run
from pullpass.jose import PrivateKey
from pullpass.keys import hand
from pullpass.keys.transit import State, TransitKey
from pullpass.relying import verify
from pullpass.transport import HttpTransport

CLAIMS = {"sub": "somebody"}


def shape(key: TransitKey) -> list[tuple[int, str, str, int, int]]:
    return [(one.number, one.state, one.kid, one.created_at, one.since) for one in key.versions]


def test_a_key_is_kept_as_it_was_created(shared: Shared) -> None:
    made = shared.run(shared.keys().create("k"))
    found = shared.run(shared.keys().load("k"))
    assert (found.name, found.type, shape(found)) == ("k", "ecdsa-p256", shape(made))
    assert found.active.number == 1


@pytest.mark.parametrize("type_", KEY_ALGORITHMS)
def test_a_key_of_every_type_signs_with_each_of_its_algorithms(shared: Shared, type_: str) -> None:
    keys = shared.keys("k", type_)
    shared.run(keys.create("k"))
    key = shared.run(shared.keys("k", type_).load("k"))
    assert key.active.public.type == type_
    for algorithm in KEY_ALGORITHMS[type_]:
        token = shared.run(key.active.token(CLAIMS, algorithm=algorithm))
        assert verify(token, key.active.public, [algorithm]) == CLAIMS


def test_a_private_half_is_in_this_process_only_where_the_store_is_local(shared: Shared) -> None:
    shared.run(shared.keys().create("k"))
    key = shared.run(shared.keys().load("k"))
    assert isinstance(key.active.key, PrivateKey) is not shared.remote


def test_a_key_is_never_replaced(shared: Shared) -> None:
    made = shared.run(shared.keys().create("k"))
    with pytest.raises(KeyStoreError, match="there is a key k already"):
        shared.run(shared.keys().create("k"))
    assert shape(shared.run(shared.keys().load("k"))) == shape(made)


def test_a_key_that_is_not_there_is_said_to_be_made(shared: Shared) -> None:
    with pytest.raises(KeyStoreError, match="there is no key k"):
        shared.run(shared.keys().load("k"))


def test_what_one_process_changes_the_other_sees(shared: Shared) -> None:
    one, other = shared.keys(), shared.keys()
    shared.run(one.create("k"))
    before = shared.run(other.load("k"))
    rotated = shared.run(hand.rotate(one, "k", emergency=True))
    assert rotated.active.kid != before.active.kid
    shared.later()
    found = shared.run(other.load("k"))
    assert shape(found) == shape(rotated)
    for version in found.published:
        token = shared.run(version.token(CLAIMS))
        assert verify(token, version.public) == CLAIMS


def test_an_issuer_is_remembered_and_keeps_its_url(shared: Shared) -> None:
    one, other = shared.keys(), shared.keys()
    shared.run(one.create("k"))
    shared.run(one.freeze(shared.run(one.load("k")), "nodes", "https://id.example.com/a"))
    shared.later()
    key = shared.run(other.load("k"))
    assert key.issuers == {"nodes": "https://id.example.com/a"}
    shared.run(other.freeze(key, "nodes", "https://id.example.com/a"))
    with pytest.raises(KeyStoreError, match="has signed as https://id"):
        shared.run(other.freeze(key, "nodes", "https://id.example.com/b"))


def test_a_change_of_what_was_changed_meanwhile_is_none(shared: Shared) -> None:
    keys = shared.keys()
    shared.run(keys.create("k"))
    store = shared.opened("k")
    held = shared.run(store.read("k"))
    changed = replace(held.key, issuers={"a": "https://a.example.com"})
    assert shared.run(store.swap(held, changed))
    lost = replace(held.key, issuers={"b": "https://b.example.com"})
    assert not shared.run(store.swap(held, lost))
    assert shared.run(store.read("k")).key.issuers == changed.issuers


def test_of_two_rotations_at_once_one_is_made(shared: Shared) -> None:
    shared.run(shared.keys().create("k"))
    start = Barrier(2, timeout=60)

    def rotate(_: int) -> str:
        keys = shared.keys()
        with HttpTransport() as transport:
            start.wait()
            try:
                run(hand.rotate(keys, "k", emergency=False), transport)
            except KeyStoreError as error:
                return str(error)
        return "made"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(rotate, range(2)))
    assert outcomes[1] == "made"
    assert "is to sign next already" in outcomes[0]
    key = shared.run(shared.keys().load("k"))
    assert [one.state for one in key.versions] == [State.ACTIVE, State.PUBLISHED]


def test_what_is_compromised_signs_nothing_for_anybody(shared: Shared) -> None:
    keys = shared.keys()
    first = shared.run(keys.create("k")).active
    key = shared.run(hand.compromise(keys, "k", first.number))
    gone = key.versions[0]
    assert (gone.kid, gone.state, gone.key) == (first.kid, State.COMPROMISED, None)
    assert key.active.kid != first.kid
    with pytest.raises(KeyStoreError, match="is destroyed: it signs nothing"):
        shared.run(gone.token(CLAIMS))


def test_a_key_of_another_type_than_its_settings_is_refused(shared: Shared) -> None:
    shared.run(shared.keys().create("k"))
    with pytest.raises(KeyStoreError, match="is of type ecdsa-p256 and keys"):
        shared.run(shared.keys("k", "ed25519").load("k"))
