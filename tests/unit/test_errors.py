import inspect
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass import errors
from pullpass.errors import ConfigError, InvalidToken, PullpassError, one_line


def drawn() -> Iterator[tuple[str, str | None, int]]:
    """Yields name, parent and exit status of each line of the tree in the docstring."""
    above: list[str] = []
    for line in inspect.cleandoc(errors.__doc__ or "").splitlines():
        if found := re.match(r"    ([ │├└─]*)([A-Z]\w+) +(\d+)(?:  |$)", line):
            branch, name, status = found.groups()
            above[len(branch) // 4 :] = [name]
            yield name, above[-2] if len(above) > 1 else None, int(status)


def written(
    kind: type[PullpassError], parent: str | None = None
) -> Iterator[tuple[str, str | None, int]]:
    yield kind.__name__, parent, kind.exit_status
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from written(below, kind.__name__)


def test_the_tree_is_drawn_as_it_is_written() -> None:
    assert list(drawn()) == list(written(PullpassError))


def test_the_tree_holds_every_error_of_its_module() -> None:
    classes = [one for one in vars(errors).values() if inspect.isclass(one)]
    assert {one.__name__ for one in classes} == {name for name, _, _ in drawn()}


@given(st.text() | st.text("a \t\r\n\x00\x1b\u2028\ud800", max_size=50), st.integers(1, 60))
def test_any_text_becomes_one_printable_line_within_the_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert line.isprintable()
    assert len(line) <= limit
    assert line == line.strip()
    assert one_line(line, limit) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("reg.example: no", "reg.example: no"),
        (" a\r\n\tb  c ", "a b c"),
        ("a\x1b[31mb", "a [31mb"),
        ("a" * 1001, "a" * 999 + "…"),
        ("a" * 1000, "a" * 1000),
    ],
)
def test_a_line_keeps_what_can_be_read(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_the_message_of_an_error_is_one_printable_line(text: str) -> None:
    assert str(InvalidToken(text)) == one_line(text)


def test_a_setting_is_named_in_front_of_what_is_wrong_with_it() -> None:
    error = ConfigError("unknown", key="agent.allow")
    assert (str(error), error.key) == ("agent.allow: unknown", "agent.allow")
    assert (str(ConfigError("not TOML")), ConfigError("not TOML").key) == ("not TOML", "")
