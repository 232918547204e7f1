from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.errors import MalformedInput
from pullpass.exchange.xmltree import MAX_DEPTH, read_xml

BOMB = b'<!DOCTYPE a [<!ENTITY b "hunter2">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"<a>text</a>", "text"),
        (b"<a/>", ""),
        (b"<?xml version='1.0'?>\n<a><b> x </b><c><d>y</d></c></a>", {"b": "x", "c": {"d": "y"}}),
        (b"<a><b>1</b><b/><b><c>3</c></b></a>", {"b": ["1", "", {"c": "3"}]}),
        (b"<a xmlns='urn:x' k='v'>loose<b><![CDATA[<x>]]>&amp;</b></a>", {"b": "<x>&"}),
    ],
)
def test_elements_become_what_paths_walk_through(raw: bytes, value: object) -> None:
    assert read_xml(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"text", b"<a>", b"<a></b>", b"<a/><b/>", b"<a>&b;</a>", b"\xff<a/>"),
        *(BOMB, b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", b"<!DOCTYPE html><html/>"),
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
    ],
)
def test_what_is_no_plain_xml_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedInput):
        read_xml(raw)


def test_elements_may_be_nested_as_deep_as_it_says() -> None:
    value: Any = read_xml(b"<a>" * MAX_DEPTH + b"x" + b"</a>" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        value = value["a"]
    assert value == "x"


@given(st.one_of(st.binary(), st.binary().map(lambda raw: b"<a>" + raw + b"</a>")))
def test_any_bytes_are_a_value_or_our_error(raw: bytes) -> None:
    try:
        value = read_xml(raw)
    except MalformedInput:
        return
    assert isinstance(value, str | dict)
