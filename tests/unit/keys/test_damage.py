import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.key_files import KeyFiles, refusal
from pullpass.keys.document import MAX_DOCUMENT
from pullpass.keys.transit import State

Damage = dict[str, Any]


def damages() -> Iterator[tuple[str, Damage]]:
    yield "another type", {"type": "rsa-2048"}
    yield "no type", {"type": None}
    yield "versions that are none", {"versions": None}
    yield "versions that are text", {"versions": "abc"}
    yield "versions that are a table", {"versions": {"1": {}}}
    yield "a version that is none", {"versions": [None]}
    wrong: dict[str, list[Any]] = {
        "version": [None, "1", 1.0, True, []],
        "created_at": [None, "1", 1.5, False],
        "state": [None, "Active", "", [], {}],
        "private_key": [None, 1, [], "", "\ud800", "-----BEGIN PRIVATE KEY-----"],
    }
    for member, values in wrong.items():
        for value in values:
            yield f"{member} {value!r}", {member: value}


@pytest.mark.parametrize(
    "damage", [pytest.param(damage, id=ascii(name)) for name, damage in damages()]
)
def test_a_document_of_another_shape_is_refused(
    store: KeyFiles, path: Path, damage: Damage
) -> None:
    document = json.loads(path.read_text())
    for member, value in damage.items():
        (document if member in document else document["versions"][0])[member] = value
    path.write_text(json.dumps(document))
    assert refusal(store).startswith(f"{path} is damaged: ")


@pytest.mark.parametrize("member", ["version", "created_at", "state", "private_key"])
def test_a_version_without_one_of_its_members_is_refused(
    store: KeyFiles, path: Path, member: str
) -> None:
    document = json.loads(path.read_text())
    del document["versions"][0][member]
    path.write_text(json.dumps(document))
    assert refusal(store).startswith(f"{path} is damaged: ")


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"1", b'"a"', b"\xff", b"[" * 9000, b"9" * 5000, b"\0" * 100],
    ids=lambda raw: ascii(raw[:10]),
)
def test_what_is_no_document_is_refused(store: KeyFiles, path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    assert refusal(store).startswith(f"{path} is damaged: ")


def test_a_truncated_key_is_refused(store: KeyFiles, path: Path) -> None:
    raw = path.read_bytes()
    for length in range(0, len(raw) - 1, 7):
        path.write_bytes(raw[:length])
        assert refusal(store).startswith(f"{path} is damaged: ")


def test_a_file_is_read_up_to_a_bound(store: KeyFiles, path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw.ljust(MAX_DOCUMENT))
    assert store.load("k").name == "k"
    path.write_bytes(raw.ljust(MAX_DOCUMENT + 1))
    assert refusal(store).startswith(f"{path} is damaged: ")


def test_a_refusal_shows_nothing_of_the_key(store: KeyFiles, path: Path) -> None:
    text = path.read_text()
    body = json.loads(text)["versions"][0]["private_key"].splitlines()[1]
    for raw in (text.replace("BEGIN", "BEGUN"), text[:-20], text.replace("active", "new")):
        path.write_text(raw)
        assert body[:16] not in refusal(store)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(sorted(State)),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["type", "versions", "version", "state", "private_key"]), inner
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_a_key_or_refused(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    directory = tmp_path_factory.getbasetemp() / "any-bytes"
    directory.mkdir(mode=0o700, exist_ok=True)
    path = directory / "k.json"
    path.touch(mode=0o600)
    path.write_bytes(raw)
    assert str(path) in refusal(KeyFiles(directory=directory))
