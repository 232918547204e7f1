"""The page of registries says what the specs say, and its entries are taken as they stand."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from pullpass.config.parse import parse
from pullpass.exchange import catalog
from pullpass.exchange.reader import read_spec
from pullpass.exchange.spec import Spec
from pullpass.resolve.choose import Query
from pullpass.resolve.flow import Plan, plan

PAGE: Final = (Path(catalog.__file__).parent / "providers" / "README.md").read_text()
HOW_SURE: Final = {
    "live": "tried live",
    "source": "read in the vendor's source",
    "documented": "documented only",
}
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and "provider =" in line
]
ISSUER: Final = {"issuer": "https://id.example.com", "signing_key": "k", "roles": {"r": {}}}


def planned(row: list[str]) -> Plan:
    """Returns what pullpass makes of a row's entry."""
    entry: dict[str, Any] = tomllib.loads("\n".join(re.findall(r"`([^`]+)`", row[2])))["registry"]
    (address,) = entry
    entry[address]["credential"] = [{"issuer": "nodes", "role": "r"}]
    role = {"allowed_audiences": ["x"], "subject_template": "y"}
    issuers = {"nodes": ISSUER | {"roles": {"r": role}}}
    settings = {"keys": {"k": {}}, "issuers": issuers, "registry": entry}
    return plan(parse(settings, Path("/nowhere")), Query(registry=address))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:30])
def test_an_entry_of_the_page_is_taken_as_it_stands(row: list[str]) -> None:
    assert len(row) == 5
    assert planned(row).audience


def test_every_provider_has_a_row() -> None:
    assert {planned(row).spec.name for row in ROWS} == set(catalog.names())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:30])
def test_a_row_says_how_sure_the_spec_is_and_whom_the_other_side_believes(row: list[str]) -> None:
    made, traps = planned(row), row[3]
    trust = made.spec.trust
    assert row[4] == HOW_SURE[made.spec.evidence]
    assert not trust.algorithms or "ES256" in trust.algorithms or "RS256" in traps
    assert not trust.issuers or "GitHub" in traps
    assert not trust.max_lifetime or "five minutes at most" in traps
    assert made.audience in {made.registry.address, *re.findall(r"`([^`]+)`", traps)} or (
        made.audience.startswith("https://iam.googleapis.com/")
    )


def example() -> Spec:
    text = PAGE.partition("```toml acme.toml\n")[2].partition("```")[0]
    return read_spec(tomllib.loads(text), "acme")


def test_the_file_of_the_page_is_a_spec() -> None:
    assert example().required(example().told("eu.cr.acme.example")) == {"region", "team"}
