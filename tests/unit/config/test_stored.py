from pathlib import Path
from typing import Any

import pytest

from fakes.settings import REGISTRY, refusal_of, settings
from pullpass.config.model import Config, Stored
from pullpass.config.parse import parse
from pullpass.errors import ConfigError

STORED: dict[str, Any] = {"store": "pass", "secret": "reg/team"}
KEYLESS: dict[str, Any] = {"repository": "b/*", "issuer": "nodes", "role": "docker-pull"}


def parsed(*entries: dict[str, Any], **more: Any) -> Config:
    values = settings()
    values["registry"][REGISTRY] = {"credential": list(entries), **more}
    return parse(values, Path("/nowhere"))


@pytest.mark.parametrize("store", ["keyring", "pass", "systemd"])
def test_a_registry_of_stored_credentials_needs_no_provider(store: str) -> None:
    registry = parsed(STORED | {"store": store}).registries[REGISTRY]
    (entry,) = registry.credentials
    assert registry.provider == ""
    assert entry.source == Stored(store=store, secret="reg/team")


def test_stored_and_keyless_entries_stand_beside_each_other() -> None:
    exchange = {"provider": "jfrog", "parameters": {"provider_name": "strongbox"}}
    registry = parsed(STORED, KEYLESS, **exchange).registries[REGISTRY]
    assert [type(entry.source).__name__ for entry in registry.credentials] == [
        "Stored",
        "OwnIssuer",
    ]


@pytest.mark.parametrize(
    ("entries", "more", "key"),
    [
        ([STORED | {"store": "floppy"}], {}, "credential[0].store: takes keyring, pass, systemd"),
        ([{"store": "pass"}], {}, "credential[0].secret: is missing"),
        ([STORED | {"secret": ""}], {}, "credential[0].secret: is empty"),
        ([STORED | {"secret": "a\nb"}], {}, "credential[0].secret: is no name"),
        ([STORED | {"reuse": "5m"}], {}, "credential[0].reuse: is for what is exchanged"),
        ([{"secret": "reg"}], {}, "credential[0].identity: is missing"),
        ([STORED, KEYLESS], {}, "provider: is missing"),
        ([], {}, "provider: is missing"),
        ([STORED], {"parameters": {"a": "b"}}, "provider: is missing: exchange and parameters"),
        ([STORED], {"exchange": "https://a.example"}, "provider: is missing: exchange and"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    entries: list[dict[str, Any]], more: dict[str, Any], key: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(*entries, **more)
    assert refusal_of(refused.value).startswith(f'registry."{REGISTRY}".{key}')
