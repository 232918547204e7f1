import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.dockerconfig.document import begin, drop, put, read, span
from pullpass.errors import MalformedInput

KEYS = st.sampled_from(["credHelpers", "auths", "credsStore", "a b", 'quo"ted', "\u00e9", ""])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
VALUES = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
SPACE = st.text(" \t\r\n", max_size=3)


@st.composite
def texts(draw: st.DrawFn, values: st.SearchStrategy[dict[str, Any]] = OBJECTS) -> str:
    """Writes an object with white space wherever JSON lets it stand, and in any spelling."""

    def written(value: Any) -> str:
        if not isinstance(value, dict):
            return json.dumps(value, ensure_ascii=draw(st.booleans()))
        members = [
            f"{draw(SPACE)}{json.dumps(key)}{draw(SPACE)}:{draw(SPACE)}{written(inner)}{draw(SPACE)}"
            for key, inner in value.items()
        ]
        return "{" + (",".join(members) or draw(SPACE)) + "}"

    return draw(SPACE) + written(draw(values)) + draw(SPACE)


@given(texts(), KEYS, st.text(max_size=5))
def test_a_member_is_put_and_nothing_else_is_touched(text: str, key: str, value: str) -> None:
    edit = put(text, (key,), value)
    after = edit.apply(text)
    assert read(after) == {**read(text), key: value}
    assert list(read(after)) == list({**read(text), key: value})
    assert edit.revert(after) == text
    kept = text[: edit.at] + text[edit.at + len(edit.removed) :]
    assert kept == after[: edit.at] + after[edit.at + len(edit.inserted) :]


@given(texts(OBJECTS.map(lambda values: {**values, "auths": {"host": "a"}})), KEYS)
def test_a_member_within_an_object_is_put_and_dropped(text: str, key: str) -> None:
    after = put(text, ("auths", key), "new").apply(text)
    assert read(after)["auths"] == {"host": "a", key: "new"}
    assert read(drop(after, ("auths", key))) == read(text)


@given(texts(), KEYS)
def test_a_member_is_dropped_and_the_others_stay(text: str, key: str) -> None:
    wanted = read(text)
    wanted.pop(key, None)
    assert read(drop(text, (key,))) == wanted


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("{}", '{\n\t"x": "y"\n}'),
        ("{}\n", '{\n\t"x": "y"\n}\n'),
        ('{"a": 1}', '{"a": 1, "x": "y"}'),
        ('{"a":1}', '{"a":1,"x":"y"}'),
        ('{"a":1, "b":2}', '{"a":1, "b":2, "x":"y"}'),
        ('{\n  "a": 1\n}', '{\n  "a": 1,\n  "x": "y"\n}'),
        ('{\r\n\t"a" : 1\r\n}', '{\r\n\t"a" : 1,\r\n\t"x" : "y"\r\n}'),
        ('{"x": "old", "a": 1}', '{"x": "y", "a": 1}'),
        ('{"x": 1, "x": 2}', '{"x": 1, "x": "y"}'),
    ],
)
def test_what_is_new_looks_like_what_is_there(text: str, after: str) -> None:
    assert put(text, ("x",), "y").apply(text) == after


def test_a_first_member_is_indented_as_deep_as_it_stands() -> None:
    text = '{\n  "credHelpers": {}\n}'
    assert put(text, ("credHelpers", "a"), "b").apply(text) == (
        '{\n  "credHelpers": {\n    "a": "b"\n  }\n}'
    )


def test_a_document_of_one_line_stays_one_line() -> None:
    text = '{"a":1,"credHelpers":{ }}'
    assert put(text, ("credHelpers", "a"), "b").apply(text) == '{"a":1,"credHelpers":{"a": "b"}}'


def test_a_change_is_not_taken_back_where_something_else_stands() -> None:
    edit = put('{"a": 1}', ("x",), "y")
    assert edit.revert('{"a": 1, "x": "z"}') is None
    assert edit.revert('{"b": 12, "x": "y"}') is None


@pytest.mark.parametrize("text", ["", " \r\n\t"])
def test_a_blank_text_is_an_empty_object(text: str) -> None:
    assert read(text) == {}
    edit = begin(text)
    assert edit.apply(text) == "{}"
    assert edit.revert("{}") == text


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "1", '"text"', "null", "{'a': 1}", '{"a": NaN}', '{"a": 1,}', "\ufeff{}", "{}{}",
        "\u00a0", '{"a": 1} // ok', "[" * 100_000, '{"a": ' + "9" * 5000 + "}",
    ],
)  # fmt: skip
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        read(text)


@given(st.text(max_size=20))
def test_any_text_is_an_object_or_our_error(text: str) -> None:
    with suppress(MalformedInput):
        assert isinstance(read(text), dict)


def test_a_value_is_found_where_it_counts() -> None:
    text = '{"a": 1, "b": 2, "a": [3]}'
    found = span(text, "a")
    assert found is not None
    assert text[slice(*found)] == "[3]"
    assert span(text, "c") is None
