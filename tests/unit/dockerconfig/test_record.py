import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.dockerconfig.document import Edit
from pullpass.dockerconfig.record import Record, parse, render
from pullpass.errors import MalformedInput

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["created", "edits", "helpers", "store", "at"]), inner),
    ),
    max_leaves=8,
)
GOOD: dict[str, Any] = {"created": True, "edits": [], "helpers": {"a": None}, "store": ""}


@given(
    st.builds(
        Record,
        created=st.booleans(),
        edits=st.lists(
            st.builds(Edit, at=st.integers(0), removed=st.text(), inserted=st.text())
        ).map(tuple),
        helpers=st.dictionaries(st.text(), st.none() | st.text()),
        store=st.text(),
    )
)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert parse(render(record)) == record


@pytest.mark.parametrize(
    "change",
    [
        {"created": 1},
        {"store": None},
        {"helpers": []},
        {"helpers": {"a": 1}},
        {"edits": [{"at": -1, "removed": "", "inserted": ""}]},
        {"edits": [{"at": True, "removed": "", "inserted": ""}]},
        {"edits": [{"at": 0, "removed": ""}]},
        {"edits": [1]},
        {"edits": {}, "created": None},
    ],
)
def test_what_is_no_record_is_refused(change: dict[str, Any]) -> None:
    assert parse(json.dumps(GOOD)).created
    with pytest.raises(MalformedInput, match="no record"):
        parse(json.dumps(GOOD | change))


@given(st.one_of(st.text(max_size=20), JSON.map(json.dumps)))
def test_any_text_is_a_record_or_our_error(text: str) -> None:
    with suppress(MalformedInput):
        assert isinstance(parse(text), Record)
