from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.config_files import KEY, Home
from pullpass.config.load import merge
from pullpass.errors import ConfigError


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
