import json
import secrets
from pathlib import Path
from typing import Final

import pytest

from fakes.key_files import KeyFiles, key_settings, local
from fakes.settings import refusal_of
from pullpass.config.parse import parse
from pullpass.errors import KeyStoreError
from pullpass.keys import hand
from pullpass.keys.file import FileKeyStore
from pullpass.keys.source import Keys
from pullpass.keys.stores import keys_of, read_passphrase
from pullpass.keys.transit import TransitKey
from pullpass.secret import Secret
from pullpass.store.systemd import VARIABLE, SystemdCredentials

PHRASE: Final = Secret(secrets.token_urlsafe(24))


def keys(directory: Path, phrase: Secret | None) -> Keys:
    store = FileKeyStore(directory=directory, passphrase=lambda: phrase)
    return Keys(settings={"k": key_settings()}, stores={"k": store})


def load(directory: Path, phrase: Secret | None) -> TransitKey:
    return local(keys(directory, phrase).load("k"))


def test_with_a_passphrase_no_private_half_is_written_as_it_is(tmp_path: Path) -> None:
    made = local(keys(tmp_path / "keys", PHRASE).create("k"))
    (version,) = json.loads((tmp_path / "keys" / "k.json").read_text())["versions"]
    assert version["private_key"].startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert load(tmp_path / "keys", PHRASE).active.kid == made.active.kid


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        (Secret(secrets.token_urlsafe(24)), "the passphrase does not open the private key"),
        (None, "the private key is encrypted: name its passphrase"),
    ],
)
def test_without_its_passphrase_a_key_is_of_no_use(
    tmp_path: Path, phrase: Secret | None, reason: str
) -> None:
    local(keys(tmp_path / "keys", PHRASE).create("k"))
    with pytest.raises(KeyStoreError) as refused:
        load(tmp_path / "keys", phrase)
    assert refusal_of(refused.value) == f"{tmp_path}/keys/k.json: {reason}"


def test_a_key_from_before_its_passphrase_works_and_is_encrypted_at_its_next_change(
    tmp_path: Path,
) -> None:
    made = KeyFiles(directory=tmp_path / "keys").create("k")
    assert load(tmp_path / "keys", PHRASE).active.kid == made.active.kid
    local(hand.rotate(keys(tmp_path / "keys", PHRASE), "k", emergency=False))
    versions = json.loads((tmp_path / "keys" / "k.json").read_text())["versions"]
    assert all("ENCRYPTED" in version["private_key"] for version in versions)


def test_a_document_from_before_keys_rotated_still_works(tmp_path: Path) -> None:
    made = KeyFiles(directory=tmp_path / "keys").create("k")
    file = tmp_path / "keys" / "k.json"
    document = json.loads(file.read_text())
    old = {name: document["versions"][0][name] for name in ("version", "state", "created_at")}
    old["private_key"] = document["versions"][0]["private_key"]
    file.write_text(json.dumps({"type": "ecdsa-p256", "versions": [old]}))
    found = KeyFiles(directory=tmp_path / "keys").load("k")
    assert (found.active.kid, found.active.since) == (made.active.kid, made.active.created_at)


def test_a_passphrase_is_what_systemd_gives_the_service(tmp_path: Path) -> None:
    (tmp_path / "pullpass-keys").write_text(f"{PHRASE.reveal()}\n")
    assert read_passphrase("pullpass-keys", SystemdCredentials(directory=tmp_path)) == PHRASE


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "does not have 20 to 1024 characters"),
        (b"x" * 19, "does not have 20 to 1024 characters"),
        (b"x" * 1025, "does not have 20 to 1024 characters"),
        (None, "there is none of that name"),
    ],
)
def test_what_is_no_passphrase_is_refused(tmp_path: Path, raw: bytes | None, reason: str) -> None:
    if raw is not None:
        (tmp_path / "p").write_bytes(raw)
    with pytest.raises(KeyStoreError) as refused:
        read_passphrase("p", SystemdCredentials(directory=tmp_path))
    assert reason in refusal_of(refused.value)


def test_outside_a_service_it_is_said_how_to_be_one() -> None:
    with pytest.raises(KeyStoreError, match="LoadCredentialEncrypted=p"):
        read_passphrase("p", SystemdCredentials(directory=None))


def test_the_settings_say_where_the_passphrase_is(tmp_path: Path) -> None:
    (tmp_path / "pullpass-keys").write_text(PHRASE.reveal())
    key = {"passphrase": {"credential": "pullpass-keys"}}
    config = parse({"state_dir": str(tmp_path / "state"), "keys": {"k": key}}, tmp_path)
    local(keys_of(config, {VARIABLE: str(tmp_path)}).create("k"))
    assert "ENCRYPTED" in (tmp_path / "state" / "keys" / "k.json").read_text()
