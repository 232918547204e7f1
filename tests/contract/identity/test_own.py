"""Identities of somebody's own making: what a variable, a file and a program may be."""

from pathlib import Path
from typing import Any

import pytest

from fakes.issued import issued
from fakes.platforms import ALL, Platform, token
from fakes.platforms.platform import program
from fakes.settings import refusal_of
from pullpass.errors import IdentityError

OPAQUE = issued("ghs_an-opaque-token-of-somebody")


def refused(platform: Platform) -> str:
    with pytest.raises(IdentityError) as error:
        platform.show()
    return refusal_of(error.value)


@pytest.mark.parametrize("name", ["file", "kubernetes"])
def test_a_file_is_read_anew_each_time(name: str, tmp_path: Path) -> None:
    platform = ALL[name](tmp_path)
    for subject in ("one", "two"):
        shown = token(sub=subject)
        platform.give(lambda _, shown=shown: shown)  # type: ignore[misc] # the loop's own
        assert platform.show().said.text("sub") == subject


@pytest.mark.parametrize("name", ["file", "kubernetes"])
def test_a_file_that_is_not_there_or_no_text_says_what_to_do(name: str, tmp_path: Path) -> None:
    platform = ALL[name](tmp_path)
    path = Path(platform.told["path"])
    path.write_bytes(b"\xff\xfe")
    assert f"{path} gives no text" in refused(platform)
    path.write_bytes(b"x" * 70_000)
    assert f"{path} is longer than 65536 bytes" in refused(platform)
    path.unlink()
    assert "at path: let " in refused(platform)
    path.mkdir()
    assert f"{path} cannot be read (Is a directory)" in refused(platform)


@pytest.mark.parametrize("name", ["env", "file"])
def test_an_opaque_token_is_shown_only_where_the_settings_say_so(name: str, tmp_path: Path) -> None:
    platform = ALL[name](tmp_path)
    platform.give(lambda _: OPAQUE)
    assert "not a signed JWT" in refused(platform)
    platform.told = {**platform.told, "jwt": False}
    found = platform.show()
    assert found.token.reveal() == OPAQUE
    assert (found.said.claims, found.expires_at, found.said.text("jti")) == ({}, None, "")


@pytest.mark.parametrize(
    ("lines", "changes", "says"),
    [
        (["sys.exit(7)"], {}, "ended with status 7: run it by hand"),
        (["print('x' * 100_000)"], {}, "writes more than 65536 bytes"),
        (["sys.stdout.buffer.write(b'\\xff')"], {}, "gives no text"),
        (["import time; time.sleep(600)"], {"timeout": "1s"}, "has not ended after 1s"),
        (["print('hunter2')"], {"out": "a.jwt"}, "something else than JSON"),
        (['print(\'{"a": {"jwt": 7}}\')'], {"out": "a.jwt"}, "without a.jwt"),
        ([], {}, "the token is not a signed JWT"),
    ],
)
def test_a_program_that_gives_no_token_is_told_from_one_that_does(
    lines: list[str], changes: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = program(tmp_path, "give", *lines)
    told = {"command": ["give"], **changes}
    platform = Platform(source="exec", told=told, environ={"PATH": path})
    said = refused(platform)
    assert says in said
    assert "hunter2" not in said


def test_a_program_is_told_the_audience_without_a_shell(tmp_path: Path) -> None:
    path = program(tmp_path, "give", "print(argv[0])")
    told = {"command": ["give", "$(id) {audience};"], "jwt": False}
    platform = Platform(source="exec", told=told, environ={"PATH": path})
    assert platform.show("a&b.example").token.reveal() == "$(id) a&b.example;"
