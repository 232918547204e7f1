from pathlib import Path

import pytest

from fakes.settings import refusal_of
from pullpass.errors import StoreError
from pullpass.secret import Secret
from pullpass.store.document import MAX_DOCUMENT
from pullpass.store.stores import Shelf

DOCUMENT = '{"username": "me", "secret": "word"}\n'


def shelf(directory: Path | None, name: str = "registry") -> Shelf:
    environ = {} if directory is None else {"CREDENTIALS_DIRECTORY": str(directory)}
    return Shelf(store="systemd", name=name, environ=environ)


def test_what_systemd_hands_over_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "registry").write_text(DOCUMENT)
    found = shelf(tmp_path).load()
    assert found is not None
    assert (found.username, found.secret.reveal()) == ("me", "word")
    assert found.expires_at is None


def test_what_systemd_does_not_hand_over_is_not_there(tmp_path: Path) -> None:
    assert shelf(tmp_path).load() is None


def test_a_process_without_credentials_is_told_where_they_come_from() -> None:
    with pytest.raises(StoreError, match="LoadCredentialEncrypted=registry") as refused:
        shelf(None).load()
    assert refusal_of(refused.value)


@pytest.mark.parametrize("name", ["../registry", "a/b", "..", "."])
def test_no_name_leads_out_of_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="is no name of a systemd credential"):
        shelf(tmp_path, name).load()


def test_a_directory_is_no_credential(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with pytest.raises(StoreError, match="cannot be read: Is a directory"):
        shelf(tmp_path).load()


@pytest.mark.parametrize("content", [b"", b"word", b"\xff", b"[]", b"x" * (MAX_DOCUMENT + 2)])
def test_another_form_is_refused_without_being_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "registry").write_bytes(content)
    with pytest.raises(StoreError, match=r"^registry in systemd: it is not \{") as refused:
        shelf(tmp_path).load()
    assert "word" not in refusal_of(refused.value)


def test_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="systemd-creds encrypt"):
        shelf(tmp_path).save("me", Secret("word"))
    with pytest.raises(StoreError, match="take registry out of its unit"):
        shelf(tmp_path).erase()
    assert list(tmp_path.iterdir()) == []


def test_another_store_is_refused() -> None:
    with pytest.raises(StoreError, match="floppy is no store"):
        Shelf(store="floppy", name="a", environ={}).load()
