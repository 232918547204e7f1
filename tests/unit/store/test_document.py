import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.credential import Credential
from pullpass.errors import StoreError
from pullpass.secret import Secret
from pullpass.store.document import MAX_DOCUMENT, parse, render


@given(st.text(min_size=1, max_size=50), st.text(min_size=1, max_size=50))
def test_what_was_written_is_read(username: str, secret: str) -> None:
    expected = Credential(username=username, secret=Secret(secret))
    assert parse(render(username, Secret(secret))) == expected


@pytest.mark.parametrize(
    "found",
    [
        {},
        [],
        None,
        "word",
        {"username": "me"},
        {"username": "me", "secret": ""},
        {"username": "", "secret": "word"},
        {"username": 1, "secret": "word"},
        {"username": "me", "secret": ["word"]},
    ],
)
def test_another_form_is_refused(found: Any) -> None:
    with pytest.raises(StoreError, match="store it again") as refused:
        parse(Secret(json.dumps(found)))
    assert "word" not in str(refused.value)


@given(st.text(max_size=30))
def test_any_text_is_a_credential_or_our_error(text: str) -> None:
    with suppress(StoreError):
        assert parse(Secret(text)).username


def test_a_document_is_bounded() -> None:
    with pytest.raises(StoreError, match="longer than"):
        render("me", Secret("x" * MAX_DOCUMENT))
    with pytest.raises(StoreError):
        parse(Secret(" " * (MAX_DOCUMENT + 1)))
