"""OpenBao as store of transit keys, and the ways in which it fails."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Final

import httpx
import pytest

from contract.keys.conftest import bao_settings
from fakes.key_files import key_settings
from fakes.programs import OpenBao, openbao
from fakes.settings import refusal_of
from pullpass.config.issuing import OpenBao as Settings
from pullpass.errors import KeyStoreError
from pullpass.http import run
from pullpass.jose import load_public_key
from pullpass.keys import hand
from pullpass.keys.openbao import OpenBaoKeyStore
from pullpass.keys.source import Keys
from pullpass.transport import HttpTransport

_ROUNDS: Final = 25  # in one of five the two meet in OpenBao
_PATIENCE: Final = 500  # such rounds until none is thought to come


@pytest.fixture
def place(bao: OpenBao, tmp_path: Path) -> Settings:
    return bao_settings(bao, tmp_path, secrets.token_hex(4))


def keys(place: Settings) -> Keys:
    store = OpenBaoKeyStore(settings=place)
    return Keys(settings={"k": key_settings()}, stores={"k": store})


def refusal(place: Settings, transport: HttpTransport) -> str:
    with pytest.raises(KeyStoreError) as refused:
        run(keys(place).load("k"), transport)
    return refusal_of(refused.value)


def test_every_signature_names_its_version_however_often_the_engine_was_rotated(
    bao: OpenBao, place: Settings, transport: HttpTransport
) -> None:
    ours = keys(place)
    version = run(ours.create("k"), transport).active
    for _ in range(3):
        bao.ask("POST", f"transit/keys/{place.key}/rotate", {})
    run(version.token({"sub": "a"}), transport)  # which looks at the signature itself


def test_what_is_destroyed_is_destroyed_there(
    bao: OpenBao, place: Settings, transport: HttpTransport
) -> None:
    ours = keys(place)
    run(ours.create("k"), transport)
    run(hand.compromise(ours, "k", 1), transport)
    left = bao.ask("GET", f"transit/keys/{place.key}")["data"]
    assert list(left["keys"]) == ["2"]
    assert left["min_available_version"] == 2


def test_a_key_that_is_there_already_is_taken_with_a_version_of_its_own(
    bao: OpenBao, place: Settings, transport: HttpTransport
) -> None:
    bao.ask("POST", f"transit/keys/{place.key}", {"type": "ecdsa-p256"})
    assert run(keys(place).create("k"), transport).active.number == 2


@pytest.mark.parametrize("kind", ["ed25519", "rsa-2048", "aes256-gcm96"])
def test_a_key_of_another_type_is_not_taken(
    bao: OpenBao, place: Settings, transport: HttpTransport, kind: str
) -> None:
    bao.ask("POST", f"transit/keys/{place.key}", {"type": kind})
    with pytest.raises(KeyStoreError, match=r"of type|no public half"):
        run(keys(place).create("k"), transport)
    assert bao.ask("GET", f"transit/keys/{place.key}")["data"]["latest_version"] == 1


def test_a_key_that_was_put_back_to_older_versions_is_left_as_it_is(
    bao: OpenBao, place: Settings, transport: HttpTransport
) -> None:
    ours = keys(place)
    run(ours.create("k"), transport)
    for _ in range(2):
        run(hand.rotate(ours, "k", emergency=True), transport)
    path = f"transit/keys/{place.key}"
    bao.ask("POST", f"{path}/config", {"deletion_allowed": True})
    bao.ask("DELETE", path)
    with pytest.raises(KeyStoreError, match=r"is at version 0, and version 3 was made already"):
        run(hand.rotate(ours, "k", emergency=True), transport)
    bao.ask("POST", path, {"type": "ecdsa-p256"})  # it was not made for us
    for _ in range(4):
        with pytest.raises(KeyStoreError, match=r"is at version 1, .*: restore the newer one"):
            run(hand.rotate(ours, "k", emergency=True), transport)
    assert bao.ask("GET", path)["data"]["latest_version"] == 1


def test_without_rights_it_is_said_which_are_missing(
    bao: OpenBao, place: Settings, transport: HttpTransport
) -> None:
    token = bao.ask("POST", "auth/token/create", {"policies": ["default"]})["auth"]["client_token"]
    place.token_file.write_text(token)
    said = refusal(place, transport)
    assert f"answered 403 to secret/data/pullpass/transit/{place.key}: its policy" in said
    assert token not in said


def test_a_token_that_cannot_be_read_is_said(place: Settings, transport: HttpTransport) -> None:
    for raw, reason in ((b"", "holds no token"), (b"\xff", "holds no token"), (b"a\0b", "holds")):
        place.token_file.write_bytes(raw)
        assert f"{place.token_file} {reason}" in refusal(place, transport)
    place.token_file.unlink()
    assert "cannot be read: No such file" in refusal(place, transport)


def test_an_engine_that_is_not_enabled_is_said(place: Settings, transport: HttpTransport) -> None:
    lost = replace(place, state="nowhere")
    assert "403" in refusal(lost, transport) or "404" in refusal(lost, transport)


def own(server: OpenBao, directory: Path) -> Settings:
    """Returns settings of a server that only this test has."""
    server.ask("POST", "sys/mounts/transit", {"type": "transit"})
    file = directory / "root"
    file.write_text(server.root_token)
    return Settings(
        address=server.origin,
        transit="transit",
        state="secret",
        key="k",
        namespace="",
        token_file=file,
    )


def test_sealed_it_signs_nothing_and_is_said_to_be_unsealed_and_killed_to_be_out_of_reach(
    tmp_path: Path, transport: HttpTransport
) -> None:
    with openbao(tmp_path) as server:
        place = own(server, tmp_path)
        version = run(keys(place).create("k"), transport).active
        server.ask("PUT", "sys/seal")
        with pytest.raises(KeyStoreError, match="answered 503 to transit/sign/k: unseal it"):
            run(version.token({"sub": "a"}), transport)
        assert "unseal it" in refusal(place, transport)
    said = refusal(place, transport)
    assert said.startswith(f"OpenBao: {place.address}: no answer (")
    assert "try again once it can be reached" in said
    with pytest.raises(KeyStoreError, match="try again"):
        run(version.token({"sub": "a"}), transport)


def test_what_rotations_at_once_publish_is_there_after_a_seal(
    tmp_path: Path, transport: HttpTransport
) -> None:
    with openbao(tmp_path) as server:
        place = own(server, tmp_path)
        places = [replace(place, key=f"k{number}") for number in range(_ROUNDS)]
        for one in places:
            rotate_at_once(one, transport)
        shown = [run(keys(one).look("k"), transport).versions for one in places]
        server.reseal()
        there = [server.ask("GET", f"transit/keys/{one.key}")["data"]["keys"] for one in places]
    for versions, kept in zip(shown, there, strict=True):
        assert len(versions) == 3
        for version in versions:
            assert load_public_key(kept[str(version.number)]["public_key"]) == version.public


def test_a_version_that_openbao_only_shows_is_not_taken(
    tmp_path: Path, transport: HttpTransport
) -> None:
    with openbao(tmp_path) as server:
        place = own(server, tmp_path)
        run(keys(place).create("k"), transport)
        last = fail_to_rotate(place)  # as a process that died before it asked again
        shown = server.ask("GET", "transit/keys/k")["data"]["keys"]
        key = run(hand.rotate(keys(place), "k", emergency=True), transport)
        server.reseal()
        kept = server.ask("GET", "transit/keys/k")["data"]["keys"]
    assert str(last) in shown
    assert key.active.number == last + 1
    assert load_public_key(kept[str(last + 1)]["public_key"]) == key.active.public


def rotate_at_once(place: Settings, transport: HttpTransport) -> None:
    run(keys(place).create("k"), transport)
    start = Barrier(2, timeout=60)

    def rotate(_: int) -> None:
        with HttpTransport() as own_transport:
            start.wait()
            run(hand.rotate(keys(place), "k", emergency=True), own_transport)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(rotate, range(2)))


def fail_to_rotate(place: Settings) -> int:
    """Returns the number of the version that OpenBao made and could not commit."""
    start, latest = Barrier(2, timeout=60), 1

    def rotate(_: int) -> int:
        start.wait()
        return httpx.post(
            f"{place.address}/v1/{place.transit}/keys/{place.key}/rotate",
            headers={"x-vault-token": place.token_file.read_text()},
            timeout=30,
            trust_env=False,
        ).status_code

    with ThreadPoolExecutor(2) as pool:
        for _ in range(_PATIENCE):
            latest += 2
            if 500 in pool.map(rotate, range(2)):
                return latest
    raise AssertionError(f"no two of {2 * latest} rotations met")
