import pytest

from pullpass.errors import ConfigError
from pullpass.exchange.catalog import load, names
from pullpass.exchange.engine import audience
from pullpass.exchange.place import Place

PARAMETERS: dict[str, dict[str, str]] = {
    "jfrog": {"provider_name": "strongbox"},
    "rfc8693": {"token_path": "oauth/token"},
    "passthrough": {},
}


def test_these_providers_come_with_the_package() -> None:
    assert names() == ("jfrog", "passthrough", "rfc8693")


@pytest.mark.parametrize("name", names())
def test_each_needs_what_its_registry_needs_and_no_more(name: str) -> None:
    assert load(name).required({}) == PARAMETERS[name].keys()


@pytest.mark.parametrize("name", names())
def test_each_asks_for_a_token_made_for_the_registry_itself(name: str) -> None:
    place = Place(registry="Registry.example.com:8443", exchange="https://auth.example.com")
    assert audience(load(name), PARAMETERS[name], place) == "Registry.example.com:8443"


@pytest.mark.parametrize("name", ["", "nobody", "../catalog", "jfrog.toml", "JFROG", "."])
def test_another_name_is_refused_and_the_known_ones_are_listed(name: str) -> None:
    with pytest.raises(ConfigError, match="there are jfrog, passthrough, rfc8693"):
        load(name)
