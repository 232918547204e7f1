import copy
import json
import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.credential import Credential
from pullpass.secret import Secret

HIDDEN = "hunter2"


@dataclass(frozen=True)
class Holder:
    secret: Secret


def fail_with_a_secret() -> str:
    secret = Secret(HIDDEN)
    try:
        assert secret is None
    except AssertionError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(shown.format())
    raise AssertionError


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        ascii,
        lambda secret: f"{secret} {secret!r} {secret!s} {secret:>20}",
        lambda secret: "{} {!r}".format(secret, secret),  # noqa: UP032 - a way to show it
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - a way to show it
        lambda secret: repr([secret, {"a": secret}]),
        lambda secret: repr(Holder(secret)),
        lambda secret: repr(Credential(username="puller", secret=secret)),
        lambda secret: str(ValueError(secret)),
        lambda secret: json.dumps({"a": secret}, default=str),
    ],
)
def test_no_way_of_printing_shows_a_secret(show: Callable[[Secret], str]) -> None:
    shown = show(Secret(HIDDEN))
    assert HIDDEN not in shown


def test_a_traceback_with_its_locals_shows_the_placeholder() -> None:
    shown = fail_with_a_secret()
    assert HIDDEN not in shown.replace(f'Secret("{HIDDEN}")', "")
    assert "secret = <secret>" in shown


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars])
def test_a_secret_cannot_be_taken_away(take: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as refused:
        take(Secret(HIDDEN))
    assert HIDDEN not in str(refused.value)


@given(st.text(), st.text())
def test_secrets_are_equal_as_their_texts_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))
    assert Secret(one).reveal() == one


def test_a_secret_is_not_its_text() -> None:
    assert Secret("a") != "a"
    assert hash(Secret("a")) != hash("a")


def test_only_an_empty_secret_is_false() -> None:
    assert (bool(Secret("")), bool(Secret("a"))) == (False, True)


def test_a_fingerprint_is_the_sha_256_of_the_text() -> None:
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert Secret("abc").fingerprint() == expected


@pytest.mark.parametrize("text", ["\ud800", "é", "\0"])
def test_any_text_has_a_fingerprint_and_can_be_compared(text: str) -> None:
    assert Secret(text) == Secret(text)
    assert Secret(text).fingerprint() != Secret("").fingerprint()
