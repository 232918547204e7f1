from pathlib import Path
from typing import Any, Final

import pytest

from fakes.settings import REGISTRY, changed, settings, without
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import ConfigError

STATE: Final = Path("/var/lib/state")
ENTRY: Final = ("registry", REGISTRY)
CREDENTIAL: Final = (*ENTRY, "credential")


def parsed(values: dict[str, Any]) -> Config:
    return parse(values, STATE)


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("https://reg.example.com", "write reg.example.com"),
        ("reg.example.com/team", "write reg.example.com"),
        ("https://reg.example.com:5000/v2/", "write reg.example.com:5000"),
        ("puller@reg.example.com", "without a user name"),
        ("reg.example.com ", "without white space"),
        ("*.example.com", "a domain"),
        ("", "host"),
    ],
)
def test_a_registry_is_an_address_and_nothing_more(written: str, advice: str) -> None:
    values = changed((("registry", written), settings()["registry"][REGISTRY]))
    with pytest.raises(ConfigError, match=advice) as refused:
        parsed(values)
    assert refused.value.key == f'registry."{written}"'


def test_a_registry_under_two_spellings_is_refused_with_both() -> None:
    table = settings()["registry"][REGISTRY]
    values = changed(
        (("registry", "docker.io"), table), (("registry", "index.docker.io"), dict(table))
    )
    with pytest.raises(ConfigError, match=r'same registry as registry\."docker\.io"') as refused:
        parsed(values)
    assert refused.value.key == 'registry."index.docker.io"'


def test_docker_hub_has_one_address() -> None:
    table = settings()["registry"][REGISTRY]
    config = parsed(changed((("registry", "index.docker.io"), table)))
    assert config.registries["docker.io"].key == 'registry."index.docker.io"'


def test_a_port_is_part_of_the_registry() -> None:
    table = settings()["registry"][REGISTRY]
    config = parsed(changed((("registry", f"{REGISTRY}:5000"), table)))
    assert set(config.registries) == {REGISTRY, f"{REGISTRY}:5000"}


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1:5000", "[::1]", "[::1]:5000"])
def test_plain_http_is_for_a_registry_on_loopback(address: str) -> None:
    table = {**settings()["registry"][REGISTRY], "insecure": True}
    del table["exchange"]
    registry = parsed(changed((("registry", address), table))).registries[address]
    assert (registry.insecure, registry.exchange) == (True, "")


def test_the_exchange_is_the_providers_unless_it_is_named() -> None:
    config = parsed(without((*ENTRY, "exchange")))
    assert config.registries[REGISTRY].exchange == ""


@pytest.mark.parametrize(
    ("more", "message"),
    [({"repository": "*"}, "repository twice"), ({"repository": "a"}, "host_default twice")],
)
def test_two_entries_may_not_answer_alike(more: dict[str, Any], message: str) -> None:
    first = settings()["registry"][REGISTRY]["credential"][0]
    entries = [{**first, "host_default": True}, {**first, "host_default": True, **more}]
    with pytest.raises(ConfigError, match=message) as refused:
        parsed(changed((CREDENTIAL, entries)))
    assert refused.value.key == f'registry."{REGISTRY}".credential'
