from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.jfrog import unsigned
from pullpass.exchange.derive import MADE, derive


@pytest.mark.parametrize(
    ("kind", "pair", "made"),
    [
        ("pair_user", b"AWS:pass:word", "AWS"),
        ("pair_password", b"AWS:pass:word", "pass:word"),
        ("pair_password", b"AWS:", ""),
        ("pair_user", b"AWS", ""),
        ("pair_password", b"AWS:two\nlines", ""),
        ("pair_user", b"\xff:x", ""),
    ],
)
def test_a_pair_is_split_at_its_first_colon(kind: str, pair: bytes, made: str) -> None:
    assert derive(kind, b64encode(pair).decode(), "") == made


def test_a_claim_is_taken_where_it_is_text() -> None:
    token = unsigned({"team": "a", "level": 3})
    assert derive("jwt_claim", token, "team") == "a"
    assert not derive("jwt_claim", token, "level")
    assert not derive("jwt_claim", token, "none")


@given(kind=st.sampled_from(sorted(MADE)), text=st.text(), claim=st.text())
def test_any_text_gives_one_line(kind: str, text: str, claim: str) -> None:
    assert derive(kind, text, claim).isprintable()
