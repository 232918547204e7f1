"""How steps are shown: to scripts, in a pipe, on a terminal."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from pullpass.demo.show import JsonLines, PlainLines, Terminal, display_for
from pullpass.demo.step import Display, Step

FACTS: Mapping[str, Any] = {
    "token_server": "http://127.0.0.1:8442",
    "status": 401,
    "granted": ["repository:a:pull", "repository:b:pull"],
    "refused": [],
    "claims": {"sub": "registry-pull", "exp": 1_800_000_000, "aud": ["a", "b"]},
    "nothing": {},
    "markup": "[red]no[/]",
}


def step(seconds: float = 0.0123456, **facts: Any) -> Step:
    return Step(name="mint", title="An identity is minted", facts=facts, seconds=seconds)


def shown(display: Display, made: Step, capsys: pytest.CaptureFixture[str]) -> list[str]:
    display.begin(made.title)
    display.end(made)
    return capsys.readouterr().out.splitlines()


def test_a_script_gets_one_object_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = shown(JsonLines(), step(**FACTS), capsys)
    title = {"step": "mint", "title": "An identity is minted"}
    assert json.loads(line) == {**title, **FACTS, "seconds": 0.0123}


def test_a_pipe_gets_indented_lines_for_facts_of_every_shape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shown(PlainLines(), step(**FACTS), capsys) == [
        "An identity is minted  (12 ms)",
        "    token server      http://127.0.0.1:8442",
        "    status            401",
        "    granted           repository:a:pull",
        "                      repository:b:pull",
        "    refused           none",
        "    claims            sub = registry-pull",
        "                      exp = 1800000000 (08:00:00 UTC)",
        "                      aud = ['a', 'b']",
        "    markup            [red]no[/]",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0 ms"), (0.4, "400 ms"), (1.0, "1.0 s"), (61.25, "61.2 s")]
)
def test_a_duration_is_in_the_unit_that_can_be_read(
    seconds: float, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(PlainLines(), step(seconds), capsys) == [f"An identity is minted  ({text})"]


def terminal() -> tuple[Terminal, io.StringIO]:
    printed = io.StringIO()
    return Terminal(console=Console(file=printed, force_terminal=True, width=80)), printed


def test_a_terminal_gets_colours_and_the_text_as_it_is() -> None:
    display, printed = terminal()
    display.begin("[red]An identity[/] is minted")
    display.end(step(**FACTS))
    assert "\x1b[32m✓" in printed.getvalue()
    assert "[red]An identity[/] is minted …" in printed.getvalue()
    assert "[red]no[/]" in printed.getvalue()


def test_a_terminal_gets_its_cursor_back() -> None:
    hide, show = "\x1b[?25l", "\x1b[?25h"
    display, printed = terminal()
    display.stop()
    display.begin("one")
    assert hide in printed.getvalue()
    display.stop()
    assert printed.getvalue().rindex(show) > printed.getvalue().rindex(hide)


@pytest.mark.parametrize(("as_json", "kind"), [(True, JsonLines), (False, PlainLines)])
def test_what_is_no_terminal_gets_no_colours(*, as_json: bool, kind: type[Display]) -> None:
    with display_for(as_json=as_json) as display:
        assert isinstance(display, kind)
