import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.dockerconfig.document import read
from pullpass.dockerconfig.entries import configure, keys, unconfigure
from pullpass.dockerconfig.record import Record, parse, render
from pullpass.errors import MalformedInput, UsageError

HUB = "https://index.docker.io/v1/"
PASSWORD = "aHVudGVyMjpzZWNyZXQ="
HOSTS = st.lists(
    st.sampled_from(["a.example", "b.example:5000", "docker.io", HUB]),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip
FILES = st.fixed_dictionaries(
    {},
    optional={
        "auths": st.dictionaries(st.text(max_size=4), st.just({"auth": PASSWORD}), max_size=2),
        "credHelpers": st.dictionaries(
            st.sampled_from(["a.example", "z.example"]),
            st.sampled_from(["pullpass", "ecr-login"]),
            max_size=2,
        ),
        "credsStore": st.sampled_from(["", "pass"]),
        "HttpHeaders": st.just({"X": PASSWORD}),
    },
)
TEXTS = st.one_of(
    st.sampled_from(["", "\n"]),
    st.builds(lambda value, indent: json.dumps(value, indent=indent), FILES,
              st.sampled_from([None, 1, 2, "\t"])),
)  # fmt: skip


def written(
    text: str, *hosts: str, record: Record | None = None, store: str = "", force: bool = False
) -> tuple[str, Record]:
    return configure(text, record or Record(), hosts, store=store, force=force)


def test_docker_hub_has_a_key_for_docker_and_one_for_podman() -> None:
    assert keys(["a.example", "docker.io"]) == ["a.example", "docker.io", HUB]


def test_a_file_that_is_not_there_is_written_as_docker_writes_it() -> None:
    text, _ = written("", "a.example")
    assert text == '{\n\t"credHelpers": {\n\t\t"a.example": "pullpass"\n\t}\n}'


@given(TEXTS, HOSTS, st.sampled_from(["", "secretservice"]))
def test_what_is_written_is_taken_back_to_the_byte(text: str, hosts: list[str], store: str) -> None:
    after, record = written(text, *hosts, store=store, force=True)
    assert all(read(after)["credHelpers"][host] == "pullpass" for host in hosts)
    assert unconfigure(after, parse(render(record))) == text


@given(TEXTS, HOSTS, HOSTS)
def test_twice_is_taken_back_at_once(text: str, hosts: list[str], more: list[str]) -> None:
    once, record = written(text, *hosts, store="pass", force=True)
    twice, record = written(once, *more, record=record, store="pass", force=True)
    assert unconfigure(twice, record) == text


@given(TEXTS, HOSTS)
def test_the_same_again_changes_nothing(text: str, hosts: list[str]) -> None:
    once, record = written(text, *hosts, store="pass", force=True)
    assert written(once, *hosts, record=record, store="pass") == (once, record)


@given(TEXTS, HOSTS)
def test_no_secret_of_the_file_is_in_the_record(text: str, hosts: list[str]) -> None:
    _, record = written(text, *hosts, store="pass", force=True)
    assert PASSWORD not in render(record)


@given(text=TEXTS, hosts=HOSTS, indent=st.sampled_from([None, 1, "\t"]), more=st.booleans())
def test_after_somebody_else_wrote_only_ours_is_taken_away(
    *, text: str, hosts: list[str], indent: int | str | None, more: bool
) -> None:
    after, record = written(text, *hosts, force=True)
    values = read(after)
    if more:
        values["credHelpers"]["new.example"] = "ecr-login"
    values["auths"] = {"new.example": {}}
    undone = read(unconfigure(json.dumps(values, indent=indent), record))
    before = read(text)
    assert undone.pop("auths") == {"new.example": {}}
    wanted = before.get("credHelpers", {}) | ({"new.example": "ecr-login"} if more else {})
    assert undone.pop("credHelpers", {}) == wanted
    assert undone == {
        name: value for name, value in before.items() if name not in {"auths", "credHelpers"}
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "pass"),
        ({"HttpHeaders": {}}, "pass"),
        ({"auths": {}, "credHelpers": {}, "credsStore": ""}, "pass"),
        ({"auths": {"a": {}}}, None),
        ({"credHelpers": {"z": "ecr-login"}}, None),
        ({"credsStore": "osxkeychain"}, "osxkeychain"),
    ],
)
def test_the_store_that_docker_would_use_is_named_where_it_would_be_lost(
    values: dict[str, Any], expected: str | None
) -> None:
    text, record = written(json.dumps(values), "a.example", store="pass")
    assert read(text).get("credsStore") == expected
    assert (record.store == "pass") is (expected == "pass")


def test_a_store_in_which_docker_has_stored_since_stays() -> None:
    after, record = written("", "a.example", store="pass")
    values = read(after) | {"auths": {"b.example": {}}}
    undone = read(unconfigure(json.dumps(values), record))
    assert undone == {"auths": {"b.example": {}}, "credsStore": "pass"}


def test_another_store_that_somebody_wrote_since_stays() -> None:
    after, record = written("", "a.example", store="pass")
    values = read(after) | {"credsStore": "desktop"}
    assert read(unconfigure(json.dumps(values), record)) == {"credsStore": "desktop"}


def test_another_helper_keeps_its_host_unless_it_is_forced() -> None:
    text = '{"credHelpers": {"a.example": "ecr-login"}}'
    with pytest.raises(UsageError, match="ecr-login answers for"):
        written(text, "b.example", "a.example")
    after, record = written(text, "a.example", force=True)
    assert read(after) == {"credHelpers": {"a.example": "pullpass"}}
    elsewhere = json.dumps(read(after), indent=3)
    assert read(unconfigure(elsewhere, record)) == json.loads(text)


def test_a_host_that_somebody_gave_away_since_is_left_alone() -> None:
    after, record = written("{}", "a.example", "b.example")
    values = read(after)
    values["credHelpers"]["a.example"] = "ecr-login"
    undone = unconfigure(json.dumps(values), record)
    assert read(undone) == {"credHelpers": {"a.example": "ecr-login"}}


def test_without_a_record_every_host_of_pullpass_is_taken_away() -> None:
    text = '{"credHelpers": {"a": "pullpass", "b": "ecr-login"}, "credsStore": "pass"}'
    assert unconfigure(text, None) == '{"credHelpers": {"b": "ecr-login"}, "credsStore": "pass"}'


def test_a_change_that_was_recorded_and_never_made_is_passed_over() -> None:
    text = '{\n  "auths": {}\n}'
    _, record = written(text, "lost.example")
    after, record = written(text, "a.example", record=record)
    assert unconfigure(after, record) == text


@pytest.mark.parametrize(
    "text", ['{"credHelpers": []}', '{"credHelpers": {"a": {"secret": 1}}}', "[]", "{"]
)
def test_a_file_that_docker_could_not_read_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        written(text, "a.example", force=True)
    with pytest.raises(MalformedInput):
        unconfigure(text, None)
