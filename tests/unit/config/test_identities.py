from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.settings import REGISTRY, changed, refusal_of
from pullpass.config.identities import AUTO, ORDER, SOURCES
from pullpass.config.model import Identity, OwnIssuer, Stored
from pullpass.config.parse import parse
from pullpass.errors import ConfigError

ENTRY: Final = f'registry."{REGISTRY}".credential[0]'


def source(
    entry: dict[str, Any], identities: dict[str, Any] | None = None
) -> OwnIssuer | Identity | Stored:
    values = changed(
        (("registry", REGISTRY, "credential"), [entry]), (("identities",), identities or {})
    )
    (found,) = parse(values, Path("/nowhere")).registries[REGISTRY].credentials
    return found.source


def refused(entry: dict[str, Any], identities: dict[str, Any] | None = None) -> str:
    with pytest.raises(ConfigError) as error:
        source(entry, identities)
    return str(error.value)


def test_an_entry_names_a_platform_by_its_name() -> None:
    assert source({"identity": "github-actions"}) == Identity(
        name="github-actions",
        source="github-actions",
        parameters={},
        key="identities.github-actions",
    )


def test_an_entry_names_a_table_with_parameters_of_its_own() -> None:
    table = {"source": "gitlab", "variable": "MY_TOKEN"}
    assert source({"identity": "ours"}, {"ours": table}) == Identity(
        name="ours",
        source="gitlab",
        parameters={"variable": "MY_TOKEN", "audience": ""},
        key="identities.ours",
    )


def test_a_table_may_be_called_as_its_source() -> None:
    found = source({"identity": "gitlab"}, {"gitlab": {"source": "gitlab", "variable": "T"}})
    assert isinstance(found, Identity)
    assert found.parameters["variable"] == "T"


def test_an_entry_names_a_credential_that_is_stored() -> None:
    assert source({"store": "keyring", "secret": "a/b"}) == Stored(store="keyring", secret="a/b")


def test_auto_is_told_what_the_tables_of_its_sources_say() -> None:
    found = source({"identity": AUTO}, {"gitlab": {"source": "gitlab", "variable": "T"}})
    assert isinstance(found, Identity)
    assert tuple(found.parameters) == ORDER
    assert found.parameters["gitlab"]["variable"] == "T"
    assert found.parameters["terraform-cloud"] == {"tag": "", "audience": ""}


def test_auto_has_no_settings_of_its_own() -> None:
    assert refused({"identity": "a"}, {"a": {"source": AUTO, "order": "x"}}).startswith(
        "identities.a.order: is not a setting"
    )


@pytest.mark.parametrize(
    ("entry", "identities", "message"),
    [
        ({}, {}, f"{ENTRY}.identity: is missing: say whose identity is shown"),
        ({"role": "r"}, {}, f"{ENTRY}.issuer: is missing"),
        ({"issuer": "nodes"}, {}, f"{ENTRY}.role: is missing"),
        ({"store": "keyring"}, {}, f"{ENTRY}.secret: is missing"),
        ({"identity": "gitlab", "role": "r"}, {}, f"{ENTRY}.role: is not a setting"),
        ({"identity": "gitlab", "secret": "r"}, {}, f"{ENTRY}.secret: is not a setting"),
        (
            {"identity": "gitlab", "issuer": "nodes", "role": "r"},
            {},
            f"{ENTRY}.identity: and issuer exclude each other: keep one",
        ),
        (
            {"identity": "gitlab", "store": "keyring", "secret": "r"},
            {},
            f"{ENTRY}.store: and identity exclude each other: keep one",
        ),
        (
            {"identity": "jenkins"},
            {},
            f"{ENTRY}.identity: jenkins is no identity: add [identities.jenkins], or name one of",
        ),
        ({"identity": 7}, {}, f"{ENTRY}.identity: takes text"),
        ({"identity": "env"}, {}, "identities.env.variable: is missing"),
        ({"identity": "file"}, {}, "identities.file.path: is missing"),
        ({"identity": "a"}, {"a": {}}, "identities.a.source: is missing"),
        ({"identity": "a"}, {"a": {"source": "floppy"}}, "identities.a.source: takes "),
        (
            {"identity": "a"},
            {"a": {"source": "file", "path": "token"}},
            "identities.a.path: takes a path from the root",
        ),
        (
            {"identity": "a"},
            {"a": {"source": "env", "variable": "T", "jwt": "no"}},
            "identities.a.jwt: takes true or false",
        ),
        (
            {"identity": "a"},
            {"a": {"source": "env", "variable": "T", "file": "/x"}},
            "identities.a.file: is not a setting",
        ),
        (
            {"identity": "env"},
            {"env": {"source": "file", "path": "/x"}},
            "identities.env: is the name of another source: choose another",
        ),
        *(
            (
                {"identity": "http"},
                {"http": {"source": "http", "url": "https://a.example", "headers": {name: "1"}}},
                f"identities.http.headers.{name}: is written by what sends the request",
            )
            for name in ("Content-Length", "transfer-encoding", "Connection")
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_dotted_name(
    entry: dict[str, Any], identities: dict[str, Any], message: str
) -> None:
    assert refused(entry, identities).startswith(message)


def test_a_table_that_no_entry_names_is_read_too() -> None:
    assert refused({"identity": "gitlab"}, {"b": {"source": "env"}}) == (
        "identities.b.variable: is missing: it takes text"
    )


VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("https://a.example"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@pytest.mark.parametrize("name", sorted(SOURCES))
@given(data=st.data())
@settings(max_examples=30)
def test_any_setting_is_a_value_or_an_error_with_its_dotted_name(
    name: str, data: st.DataObject
) -> None:
    known = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(SOURCES[name], VALUES)))
    try:
        found = source({"identity": "a"}, {"a": {"source": name, **known}})
    except ConfigError as error:
        assert error.key.startswith("identities.a.")
        assert refusal_of(error)
    else:
        assert isinstance(found, Identity)
        assert found.parameters.keys() == (set(ORDER) if name == AUTO else SOURCES[name].keys())


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_source_knows_its_parameters_and_no_other(name: str) -> None:
    message = refused({"identity": "a"}, {"a": {"source": name, "nonsense": 1}})
    assert message.startswith("identities.a.")
