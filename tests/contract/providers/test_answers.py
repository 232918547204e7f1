"""Answers that are not the documented ones: each is a credential or a failure that says why."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st

from fakes.vendors import ASKED, BY_NAME, NOW, TOKEN, UNKNOWN, Call, Play, Vendor, given, trade
from pullpass.errors import ExchangeError
from pullpass.exchange.catalog import load
from pullpass.exchange.paths import Path, find
from pullpass.http import Response

WRONG: Final = (5, True, ["x"], {"x": "y"}, "two\nlines", "\ud800")


def members(vendor: Vendor) -> Iterator[tuple[int, Path]]:
    """Yields what must be in the answers: the number of the call and the path in its answer."""
    for at, step in enumerate(load(vendor.provider).steps[: len(vendor.calls)]):
        yield from ((at, output.path) for output in step.out.values() if output.sure)


MEMBERS: Final = [
    pytest.param(vendor, at, path, id=f"{vendor.name}-{'.'.join(path)}")
    for vendor in BY_NAME.values()
    for at, path in members(vendor)
]


def changed(call: Call, path: Path, value: object = None, *, gone: bool = False) -> Call:
    """Returns call with another value at path of its answer, or with none."""
    answer = deepcopy(dict(call.answer))
    inner: Any = answer
    for name in path[:-1]:
        inner = inner[name]
        inner = inner[0] if isinstance(inner, list) else inner
    if gone:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return replace(call, answer=answer)


def failure(vendor: Vendor, at: int, answer: Response) -> str:
    """Returns what a failed exchange says whose call number at is answered so."""
    play = Play(vendor=vendor, changed={at: answer})
    with pytest.raises(ExchangeError) as failed:
        trade(play)
    assert type(failed.value) is ExchangeError
    assert not play.faults
    step = load(vendor.provider).steps[at].id
    beginning = f"registry {vendor.registry}: step {step} "
    assert str(failed.value).startswith(beginning)
    assert len(play.seen) == at + 1, "nobody is asked after a failure"
    return str(failed.value)


@pytest.mark.parametrize(("vendor", "at", "path"), MEMBERS)
def test_a_member_that_is_not_there_or_empty_is_named(vendor: Vendor, at: int, path: Path) -> None:
    call, words = vendor.calls[at], f"answered {vendor.calls[at].status} without {'.'.join(path)}"
    assert words in failure(vendor, at, changed(call, path, gone=True).response())
    assert words in failure(vendor, at, changed(call, path, "").response())
    if not call.xml:
        assert words in failure(vendor, at, changed(call, path, None).response())


@pytest.mark.parametrize(("vendor", "at", "path"), MEMBERS)
def test_a_member_of_a_wrong_type_is_named(vendor: Vendor, at: int, path: Path) -> None:
    call = vendor.calls[at]
    for value in ({"x": "y"},) if call.xml else WRONG:
        said = failure(vendor, at, changed(call, path, value).response())
        assert f"with a {'.'.join(path)} that is not one line of text" in said


def test_what_else_an_answer_holds_changes_nothing(asked: Vendor) -> None:
    more: Mapping[str, Any] = {"surprise": {"a": ["b"]}, "refresh_token_2": "x"}
    answers = {
        at: replace(call, answer={**call.answer, **more}).response()
        for at, call in enumerate(asked.calls)
    }
    assert trade(Play(vendor=asked, changed=answers)) == trade(Play(vendor=asked))


@pytest.mark.parametrize(
    "page",
    [
        Response(status=200, headers={"content-type": "Text/HTML; charset=utf-8"}, body=b"hunter2"),
        Response(status=200, body=b"\n<!DOCTYPE html><title>hunter2"),
    ],
)
def test_a_web_page_is_told_as_one(asked: Vendor, page: Response) -> None:
    for at in range(len(asked.calls)):
        said = failure(asked, at, page)
        moves = load(asked.provider).steps[at].url.moves
        check = "exchange is the address of the API" if moves else "nothing else answers in the"
        assert f"answered 200 with a web page: check that {check}" in said
        assert "hunter2" not in said


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"hunter2", b'"hunter2"', b"[1]", b"null", b"<a>hunter2</a>", b"{"]
)
def test_what_is_no_answer_at_all_is_told_and_not_repeated(asked: Vendor, body: bytes) -> None:
    for at in range(len(asked.calls)):
        said = failure(asked, at, Response(status=200, body=body))
        assert "answered 200 with" in said
        assert "hunter2" not in said


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(asked: Vendor, status: int) -> None:
    away = Response(status=status, headers={"location": "https://evil.example.com/hunter2"})
    for at in range(len(asked.calls)):
        said = failure(asked, at, away)
        assert f"answered {status}, and redirects are not followed" in said
        assert "evil" not in said


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (given(-1), "with what has expired already: check the clock of this host"),
        (given(nbf=NOW + 31), "with what is not good yet: check the clock of this host"),
    ],
)
def test_what_has_ended_or_is_not_good_yet_is_not_handed_out(
    asked: Vendor, token: str, words: str
) -> None:
    if asked.provider.startswith("ecr"):
        return  # its password is no JWT; expiresAt is played below
    at = len(asked.calls) - 1
    (path,) = [path for number, path in members(asked) if number == at and "username" not in path]
    assert words in failure(asked, at, changed(asked.calls[at], path, token).response())


@pytest.mark.parametrize("at", [0, NOW - 1, "1999-12-31T23:59:59Z"])
def test_an_end_in_the_past_is_not_handed_out(at: object) -> None:
    for name, path in (
        ("ecr", ("authorizationData", "expiresAt")),
        ("ecr-public", ("authorizationData", "expiresAt")),
        ("gar as a service account", ("expireTime",)),
    ):
        vendor = BY_NAME[name]
        said = failure(vendor, 1, changed(vendor.calls[1], path, at).response())
        assert "with what has expired already" in said


STATED: Final = {"jfrog": 60, "dockerhub": 21600, "gar": 3600, "yandex": 3600, "rfc8693": None}


@pytest.mark.parametrize("name", [*STATED, "openbao-dynamic"])
def test_a_lifetime_may_be_text_and_must_be_one(name: str) -> None:
    vendor = BY_NAME[name]
    at = len(vendor.calls) - 1
    path = ("lease_duration",) if "openbao" in name else ("expires_in",)
    call = vendor.calls[at]
    play = Play(vendor=vendor, changed={at: changed(call, path, "50").response()})
    assert trade(play).expires_at == NOW + 50
    for value in (0, -1, "0", "-5", "soon", "", 60.5, True, [60], 10**30):
        said = failure(vendor, at, changed(call, path, value).response())
        assert f"with a {path[0]} that is no lifetime in seconds" in said


@pytest.mark.parametrize("name", STATED)
def test_a_lifetime_that_nobody_states_is_the_documented_one(name: str) -> None:
    vendor = BY_NAME[name]
    answer = {
        key: "opaque" if key == "access_token" else value
        for key, value in vendor.calls[0].answer.items()
    } | {"expires_in": None}
    call = replace(vendor.calls[0], answer=answer)
    lives, found = STATED[name], trade(Play(vendor=vendor, changed={0: call.response()}))
    assert found.expires_at == (None if lives is None else NOW + lives)


NAMES: Final = {name for one in BY_NAME.values() for _, path in members(one) for name in path}
VALUES: Final = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
TREES: Final = st.recursive(
    VALUES | st.just(UNKNOWN),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([*sorted(NAMES), "error", "errors", "message"]), inner)
    ),
    max_leaves=9,
)


@any_of(
    name=st.sampled_from(ASKED),
    last=st.booleans(),
    status=st.just(200) | st.integers(100, 599),
    body=st.binary() | TREES.map(lambda value: json.dumps(value).encode()),
    headers=st.dictionaries(st.sampled_from(["content-type", "retry-after", "date"]), st.text()),
)
@settings(max_examples=400)
def test_any_answer_is_a_credential_or_a_failure_and_neither_repeats_it(
    *, name: str, last: bool, status: int, body: bytes, headers: dict[str, str]
) -> None:
    vendor = BY_NAME[name]
    at = len(vendor.calls) - 1 if last else 0
    answer = Response(status=status, headers=headers, body=body)
    try:
        credential = trade(Play(vendor=vendor, changed={at: answer}))
    except ExchangeError as error:
        shown = f"{error} {error!r}"
    else:
        shown = f"{credential.secret}"
    assert UNKNOWN not in shown
    assert TOKEN not in shown


def test_paths_that_are_changed_here_lead_to_something() -> None:
    for vendor in BY_NAME.values():
        for at, path in members(vendor):
            assert find(vendor.calls[at].answer, path)


@pytest.mark.parametrize("pair", ["", "%%%", "YWJj", "//8=", "OnBhc3M=", "dXNlcjo="])
def test_what_is_no_pair_of_user_and_password_gives_no_credential(pair: str) -> None:
    vendor = BY_NAME["ecr"]
    path = ("authorizationData", "authorizationToken")
    said = failure(vendor, 1, changed(vendor.calls[1], path, pair).response())
    assert "without" in said
