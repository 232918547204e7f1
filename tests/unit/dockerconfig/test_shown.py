import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pullpass.dockerconfig.entries import configure
from pullpass.dockerconfig.record import Record
from pullpass.dockerconfig.shown import diff

FILE = Path("/home/alice/.docker/config.json")
SECRET = "aHVudGVyMg"


def test_a_change_is_shown_as_a_unified_diff() -> None:
    before = '{\n\t"auths": {"a": {"auth": "aHVudGVyMg=="}}\n}'
    after, _ = configure(before, Record(), ["b.example"], store="", force=False)
    assert diff(FILE, before, after).splitlines() == [
        f"--- {FILE}",
        f"+++ {FILE}",
        "@@ -1,3 +1,6 @@",
        " {",
        '-\t"auths": {"a": {"auth": "…"}}',
        '+\t"auths": {"a": {"auth": "…"}},',
        '+\t"credHelpers": {',
        '+\t\t"b.example": "pullpass"',
        "+\t}",
        " }",
    ]


def test_no_change_shows_nothing() -> None:
    assert diff(FILE, "{}", "{}") == ""


@given(
    st.recursive(
        st.just(SECRET) | st.just(f'quo"{SECRET}\\'),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
    ),
    st.sampled_from([None, 2]),
)
def test_what_else_the_file_holds_is_not_shown(value: object, indent: int | None) -> None:
    before = json.dumps({"auths": value, "credsStore": "pass"}, indent=indent)
    after, _ = configure(before, Record(), ["b.example"], store="", force=False)
    shown = diff(FILE, before, after)
    assert SECRET not in shown
    assert '"b.example": "pullpass"' in shown
