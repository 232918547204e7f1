import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fakes.config_files import KEY, Home
from pullpass.config.load import HOST_STATE, MAX_FILE, VARIABLE, load, state_dir
from pullpass.errors import ConfigError


def test_no_file_at_all_is_an_empty_configuration(home: Home) -> None:
    config = home.load()
    assert (config.sources, config.keys, config.registries) == ((), {}, {})


def test_an_empty_file_is_an_empty_configuration(home: Home) -> None:
    path = home.write(home.person, "")
    assert home.load().sources == (path,)


def test_all_default_files_are_read_as_one_and_in_their_order(home: Home) -> None:
    paths = [
        home.write(home.host / "config.toml", KEY.format(name="a")),
        home.write(home.host / "conf.d" / "1.toml", KEY.format(name="b")),
        home.write(home.host / "conf.d" / "2.toml", KEY.format(name="c")),
        home.write(home.person, KEY.format(name="d")),
    ]
    home.write(home.host / "conf.d" / "3.toml.bak", KEY.format(name="e"))
    config = home.load()
    assert list(config.keys) == ["a", "b", "c", "d"]
    assert config.sources == tuple(paths)


def test_the_variable_names_the_only_file(home: Home, tmp_path: Path) -> None:
    home.write(home.host / "config.toml", KEY.format(name="a"))
    home.write(home.person, KEY.format(name="b"))
    other = home.write(tmp_path / "other.toml", KEY.format(name="c"))
    config = home.load(**{VARIABLE: str(other)})
    assert (list(config.keys), config.sources) == (["c"], (other,))


def test_an_empty_variable_names_nothing(home: Home) -> None:
    home.write(home.person, KEY.format(name="b"))
    assert list(home.load(**{VARIABLE: ""}).keys) == ["b"]


def test_a_file_that_the_variable_names_must_be_there(home: Home, tmp_path: Path) -> None:
    refusal = home.refusal(**{VARIABLE: str(tmp_path / "missing.toml")})
    assert refusal == f"{tmp_path}/missing.toml cannot be read: No such file or directory"


def test_a_directory_is_no_configuration(home: Home, tmp_path: Path) -> None:
    assert "Is a directory" in home.refusal(**{VARIABLE: str(tmp_path)})


def test_a_default_file_that_cannot_be_reached_is_an_error(home: Home) -> None:
    assert "cannot be read" in home.refusal(XDG_CONFIG_HOME="/" + "a" * 300)


def test_a_home_that_is_a_file_holds_no_configuration(home: Home, tmp_path: Path) -> None:
    path = home.write(tmp_path / "file", "")
    assert home.load(XDG_CONFIG_HOME=str(path)).sources == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"=",
        b"[keys",
        b"a = 1\na = 2\n",
        b"\xff\xfe",
        b"\xef\xbb\xbf[keys]\n",
        b'a = "\\ud800"\n',
        b"a = 2024-13-45\n",
        b"a = " + b"9" * 5000,
        b"a = " + b"[" * 5000,
        b"\0",
    ],
)
def test_what_is_not_toml_is_refused_by_its_file(home: Home, raw: bytes) -> None:
    path = home.write(home.person, raw)
    assert home.refusal().startswith(f"{path} is not TOML: ")


def test_a_file_is_read_up_to_a_bound(home: Home) -> None:
    path = home.write(home.person, "#" * MAX_FILE)
    assert home.load().sources == (path,)
    home.write(path, "#" * (MAX_FILE + 1))
    assert home.refusal() == f"{path} is longer than {MAX_FILE} bytes"


@pytest.mark.parametrize("text", ["nonsense = 1\n", "[nonsense]\n", "[nonsense.deep]\na = 1\n"])
def test_an_unknown_section_is_refused_even_if_it_is_empty(home: Home, text: str) -> None:
    home.write(home.person, text)
    with pytest.raises(ConfigError, match="not a setting") as refused:
        home.load()
    assert refused.value.key == "nonsense"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_CONFIG_HOME": "{0}/xdg"}, "xdg/pullpass"),
        ({"XDG_CONFIG_HOME": "{0}/xdg", "HOME": "{0}"}, "xdg/pullpass"),
        ({"HOME": "{0}"}, ".config/pullpass"),
        ({"XDG_CONFIG_HOME": "", "HOME": "{0}"}, ".config/pullpass"),
        ({"XDG_CONFIG_HOME": "xdg", "HOME": "{0}"}, ".config/pullpass"),
        ({"USERPROFILE": "{0}"}, ".config/pullpass"),
        ({"HOME": "", "USERPROFILE": "{0}"}, ".config/pullpass"),
    ],
)
def test_a_person_s_file_is_where_xdg_says(
    tmp_path: Path, environ: Mapping[str, str], expected: str
) -> None:
    path = Home(tmp_path).write(tmp_path / expected / "config.toml", KEY.format(name="a"))
    environ = {name: value.format(tmp_path) for name, value in environ.items()}
    assert load(environ, tmp_path / "etc").sources == (path,)


@pytest.mark.parametrize(
    ("environ", "is_root", "expected"),
    [
        ({"XDG_STATE_HOME": "/xdg", "HOME": "/home/a"}, False, Path("/xdg/pullpass")),
        ({"HOME": "/home/a"}, False, Path("/home/a/.local/state/pullpass")),
        (
            {"XDG_STATE_HOME": "xdg", "HOME": "/home/a"},
            False,
            Path("/home/a/.local/state/pullpass"),
        ),
        ({"XDG_STATE_HOME": "/xdg", "HOME": "/root"}, True, HOST_STATE),
        ({}, True, HOST_STATE),
        ({}, False, HOST_STATE),
    ],
)
def test_state_lives_where_xdg_says_unless_for_root(
    environ: Mapping[str, str], expected: Path, *, is_root: bool
) -> None:
    assert state_dir(environ, is_root=is_root) == expected


def test_state_lives_where_a_file_says(home: Home) -> None:
    home.write(home.person, 'state_dir = "/srv/pullpass"\n')
    assert home.load().state_dir == Path("/srv/pullpass")


def test_without_a_word_state_lives_where_this_user_s_does(home: Home) -> None:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    assert home.load().state_dir == state_dir(home.environ, is_root=is_root)


def test_the_process_s_environment_is_read_when_settings_are_loaded(tmp_path: Path) -> None:
    program = "from pullpass.config.load import load; print(*load().keys)"
    path = Home(tmp_path).write(tmp_path / "a.toml", KEY.format(name="a"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, VARIABLE: str(path)},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "a\n"
