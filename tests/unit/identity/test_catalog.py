import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

import pullpass.identity
from pullpass.config import identities
from pullpass.config.parse import parse
from pullpass.config.reader import Table
from pullpass.identity.catalog import SOURCES, depends


def test_every_source_that_can_be_configured_can_be_asked() -> None:
    assert SOURCES.keys() | {identities.AUTO} == identities.SOURCES.keys()


def test_auto_asks_sources_that_need_no_table() -> None:
    found = identities.named(identities.AUTO, {}, "")
    assert tuple(found.parameters) == identities.ORDER


def test_what_a_platform_lacks_is_said_in_a_sentence() -> None:
    for source in SOURCES.values():
        assert source.elsewhere == "" or ": " in source.elsewhere


PAGE: Final = (Path(pullpass.identity.__file__).parent / "README.md").read_text()


def test_the_pages_example_can_be_read() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    values = tomllib.loads(example)
    (registry,) = values["registry"].values()
    registry |= {"provider": "jfrog"}
    (found,) = parse(values, Path("/nowhere")).registries.values()
    assert str(found.credentials[0].source) == "identity ours"


def rows() -> dict[str, str]:
    """Returns the rows of the table of sources, by each name of a source."""
    lines = PAGE.splitlines()
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith("| `"):
            names = line.split("|")[1]
            found |= {name.strip(" `"): line for name in names.split(",")}
    return found


def test_the_table_has_every_source_and_every_parameter() -> None:
    found = rows()
    assert found.keys() == identities.SOURCES.keys()
    for name, parameters in identities.SOURCES.items():
        for parameter in parameters:
            assert f"`{parameter}`" in found[name].split("|")[3], f"{name}: {parameter}"


def test_the_table_has_autos_order() -> None:
    assert ", ".join(f"`{name}`" for name in identities.ORDER) in rows()[identities.AUTO]


OF_THE_PROCESS: list[tuple[str, dict[str, Any]]] = [
    ("auto", {}),
    *((name, {}) for name in identities.ORDER if name != "kubernetes"),
    ("kubernetes-token-request", {"service_account": "a"}),
    ("spire-agent", {"socket": "unix:///run/spire.sock"}),
    ("openbao", {"role": "a"}),
    ("openbao", {"role": "a", "address": "https://bao.example"}),
    ("vault", {"role": "a", "token_file": "/run/token"}),
    ("aws", {}),
    ("aws", {"credentials": "instance"}),
    ("aws", {"credentials": "environment", "region": "eu-central-1"}),
    ("env", {"variable": "A"}),
    ("exec", {"command": ["/bin/give"]}),
    ("http", {"url": "https://a.example", "bearer_variable": "A"}),
]
OF_THE_HOST: list[tuple[str, dict[str, Any]]] = [
    ("kubernetes", {}),
    ("kubernetes-token-request", {"service_account": "a", "server": "https://k8s.example"}),
    ("spiffe", {"socket": "unix:///run/spire.sock"}),
    ("openbao", {"role": "a", "address": "https://bao.example", "token_file": "/run/token"}),
    ("aws", {"credentials": "instance", "region": "eu-central-1"}),
    ("gcp", {}),
    ("azure", {}),
    ("remote", {"issuer": "https://id.example", "role": "a", "token_file": "/run/token"}),
    ("file", {"path": "/run/token"}),
    ("http", {"url": "https://a.example", "bearer_file": "/run/token"}),
]


@pytest.mark.parametrize(
    ("source", "told", "expected"),
    [(*one, True) for one in OF_THE_PROCESS] + [(*one, False) for one in OF_THE_HOST],
)
def test_what_depends_on_the_process_that_asks_is_known_from_the_settings(
    source: str, told: dict[str, Any], *, expected: bool
) -> None:
    table = Table({"identities": {"here": {"source": source, **told}}})
    assert depends(identities.named("here", identities.read_identities(table), "")) is expected
