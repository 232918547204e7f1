from pathlib import Path

import pytest

from fakes.config_files import Home
from pullpass.config.load import MAX_FILE, VARIABLE


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
