import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.glob import matches

TRANSLATED = {"**": "(?s:.)*", "*": "[^/]*", "?": "[^/]"}


@pytest.mark.parametrize(
    ("pattern", "text", "boundary", "expected"),
    [
        ("", "", "", True),
        ("", "a", "", False),
        ("team/app", "team/app", "/", True),
        ("team/app", "team/app2", "/", False),
        ("team/app", "a-team/app", "/", False),
        ("Team", "team", "", False),
        ("*", "", "/", True),
        ("*", "team", "/", True),
        ("*", "team/app", "/", False),
        ("*", "team/app", "", True),
        ("**", "team/app/x", "/", True),
        ("team/*", "team/app", "/", True),
        ("team/*", "team/", "/", True),
        ("team/*", "team/app/x", "/", False),
        ("team/**", "team/app/x", "/", True),
        ("team/**/x", "team/app/x", "/", True),
        ("team/**/x", "team/x", "/", False),
        ("***", "a/b", "/", True),
        ("?", "", "", False),
        ("?", "a", "", True),
        ("?", "/", "/", False),
        ("?", "é", "", True),
        ("a?c", "a/c", "/", False),
        ("*.reg.example.com:5000", "eu.reg.example.com:5000", ".", True),
        ("*.reg.example.com:5000", "a.eu.reg.example.com:5000", ".", False),
        ("*", "a\nb", "", True),
        ("a", "a\n", "", False),
        ("a|b", "a", "", False),
        ("a.c", "abc", "", False),
        ("[ab]", "a", "", False),
        ("[ab]", "[ab]", "", True),
        ("a\\*", "a*", "", False),
        ("*", "*", "*", False),
        ("?", "?", "?", False),
    ],
)
def test_a_pattern_describes_the_whole_text(
    pattern: str, text: str, boundary: str, *, expected: bool
) -> None:
    assert matches(pattern, text, boundary=boundary) is expected


@given(
    st.lists(st.sampled_from(["*", "**", "?", "a", "b", "/", ".", "\n"]), max_size=8),
    st.text("ab/.\n*?", max_size=10),
)
def test_it_agrees_with_the_regular_expression_that_it_replaces(
    steps: list[str], text: str
) -> None:
    pattern = "".join(steps)
    parts = re.findall(r"\*\*|.", pattern, re.DOTALL)
    expression = "".join(TRANSLATED.get(part, re.escape(part)) for part in parts)
    assert matches(pattern, text, boundary="/") is bool(re.fullmatch(expression, text))


@given(st.text(st.characters(exclude_characters="*?")), st.text())
def test_a_pattern_without_wildcards_describes_itself_only(pattern: str, text: str) -> None:
    assert matches(pattern, pattern)
    assert matches(pattern, text) is (pattern == text)


def test_a_pattern_that_is_hostile_to_backtracking_ends() -> None:
    assert not matches("*a" * 60 + "b", "a" * 600)
