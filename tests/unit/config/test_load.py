import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.settings import refusal_of
from pullpass.config.load import HOST_STATE, MAX_FILE, VARIABLE, load, merge, state_dir
from pullpass.config.model import Config
from pullpass.errors import ConfigError

KEY = "[keys.{name}]\n"


class Home:
    """A host's and a person's directories, both empty at first."""

    def __init__(self, directory: Path) -> None:
        self.host = directory / "etc"
        self.person = directory / "config" / "pullpass" / "config.toml"
        self.environ = {"XDG_CONFIG_HOME": str(directory / "config"), "HOME": str(directory)}

    def write(self, path: Path, text: str | bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def load(self, **environ: str) -> Config:
        return load(self.environ | environ, self.host)

    def refusal(self, **environ: str) -> str:
        with pytest.raises(ConfigError) as refused:
            self.load(**environ)
        return refusal_of(refused.value)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


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


def test_a_registry_in_two_files_is_refused_with_both(home: Home) -> None:
    table = '[registry."reg.example.com:5000"]\nprovider = "jfrog"\n'
    one = home.write(home.host / "conf.d" / "1.toml", table)
    other = home.write(home.person, table)
    with pytest.raises(ConfigError, match=rf"in {one} and in {other}: keep one") as refused:
        home.load()
    assert refused.value.key == 'registry."reg.example.com:5000"'


def test_a_registry_in_two_files_under_two_spellings_is_refused_with_both(home: Home) -> None:
    one = home.write(home.host / "config.toml", '[registry."docker.io"]\n')
    other = home.write(home.person, '[registry."registry-1.docker.io"]\n')
    with pytest.raises(ConfigError, match=rf"in {one} and in {other}: keep one") as refused:
        home.load()
    assert refused.value.key == 'registry."registry-1.docker.io"'


def test_a_registry_in_one_file_under_two_spellings_is_refused_with_both(home: Home) -> None:
    entry = '[registry."{}"]\nprovider = "jfrog"\n[[registry."{}".credential]]\n'
    entry += 'issuer = "a"\nrole = "b"\n'
    names = ("docker.io", "index.docker.io")
    home.write(home.person, "".join(entry.format(name, name) for name in names))
    refusal = home.refusal()
    assert all(f'registry."{name}"' in refusal for name in names)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('state_dir = "/srv"\n', "state_dir"),
        ("[keys.a]\n", "keys.a"),
        ("[issuers.a.roles.b]\n", "issuers.a"),
        ("[serve.token-server]\n", "serve.token-server"),
        ('[registry."no address"]\n', 'registry."no address"'),
    ],
)
def test_what_two_files_set_is_refused_with_both(home: Home, text: str, key: str) -> None:
    one = home.write(home.host / "config.toml", text)
    other = home.write(home.person, text)
    with pytest.raises(ConfigError, match=rf"in {one} and in {other}: keep one") as refused:
        home.load()
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[keys.b]\ntype = 1\n", "keys.b.type"),
        ("nonsense = 1\n", "nonsense"),
        ('[registry."reg.example"]\nprovider = 1\n', 'registry."reg.example".provider'),
        ("[[keys.b.old]]\n", "keys.b.old"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file_where_there_are_several(
    home: Home, text: str, key: str
) -> None:
    wrong = home.write(home.host / "conf.d" / "1.toml", text)
    alone = home.refusal()
    assert alone.startswith(f"{key}: ")
    assert str(wrong) not in alone
    home.write(home.person, KEY.format(name="a"))
    assert home.refusal() == f"{alone} (in {wrong})"


def test_two_files_may_share_a_section(home: Home) -> None:
    home.write(home.host / "config.toml", "[keys]\n")
    home.write(home.host / "conf.d" / "1.toml", "[keys.a]\n[serve.issuer]\nlisten='[::1]:1'\n")
    home.write(home.person, "[keys]\n[keys.b]\n[serve.token-server]\nlisten='[::1]:2'\n")
    config = home.load()
    assert set(config.keys) == {"a", "b"}
    assert config.issuer_listener
    assert config.token_server_listener


@pytest.mark.parametrize("texts", [("keys = 1\n", "[keys.a]\n"), ("[keys.a]\n", "keys = 1\n")])
def test_a_section_is_a_table_in_all_files(home: Home, texts: tuple[str, str]) -> None:
    home.write(home.host / "config.toml", texts[0])
    home.write(home.person, texts[1])
    with pytest.raises(ConfigError, match="table") as refused:
        home.load()
    assert refused.value.key == "keys"


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


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["keys", "registry", "state_dir"]),
            st.text("ab", max_size=1)
            | st.dictionaries(
                st.sampled_from(["a", "docker.io", "index.docker.io"]), st.integers()
            ),
            max_size=2,
        ),
        max_size=3,
    )
)
def test_files_are_merged_or_refused_and_never_changed(files: list[dict[str, Any]]) -> None:
    before = repr(files)
    try:
        merged = merge((Path(str(at)), values) for at, values in enumerate(files))
    except ConfigError as error:
        assert len(files) > 1
        assert error.key
    else:
        for values in files:
            for section, value in values.items():
                assert value == merged[section] or value.items() <= merged[section].items()
    assert repr(files) == before


def test_providers_of_ones_own_stand_beside_the_configuration(home: Home) -> None:
    path = home.write(home.host / "providers.d" / "acme.toml", 'audience = "a"')
    other = home.write(home.person.parent / "providers.d" / "other.1.toml", "")
    home.write(home.host / "providers.d" / "acme.toml.bak", "")
    providers = home.load().providers
    assert {name: file.path for name, file in providers.items()} == {"acme": path, "other.1": other}
    assert providers["acme"].content == {"audience": "a"}


def test_the_variable_names_the_only_folder_of_providers(home: Home, tmp_path: Path) -> None:
    home.write(home.host / "providers.d" / "acme.toml", "")
    home.write(tmp_path / "elsewhere" / "providers.d" / "mine.toml", "")
    named = home.write(tmp_path / "elsewhere" / "config.toml", "")
    assert list(home.load(**{VARIABLE: str(named)}).providers) == ["mine"]


def test_a_provider_that_stands_in_two_folders_is_refused_with_both(home: Home) -> None:
    first = home.write(home.host / "providers.d" / "acme.toml", "")
    second = home.write(home.person.parent / "providers.d" / "acme.toml", "")
    assert home.refusal() == f"providers.acme: stands in {first} and in {second}: keep one"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("acme.toml", "[", "is not TOML"),
        ("acme.toml", b"\xff", "is not TOML"),
        ("acme.toml", b"#" * (MAX_FILE + 1), "is longer than"),
        ("Acme.toml", "", "names no provider: use a-z"),
        ("a b.toml", "", "names no provider"),
    ],
)
def test_a_file_that_is_no_provider_is_named(
    home: Home, name: str, content: str | bytes, words: str
) -> None:
    path = home.write(home.host / "providers.d" / name, content)
    refusal = home.refusal()
    assert str(path) in refusal
    assert words in refusal
