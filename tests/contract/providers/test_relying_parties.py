"""The table of relying parties says of each provider what its spec says."""

import re
from pathlib import Path
from typing import Final

import pytest

import pullpass.issuer
from pullpass.exchange import catalog
from pullpass.jose import ALGORITHMS

PAGE: Final = (Path(pullpass.issuer.__file__).parent / "README.md").read_text()
TABLE: Final = PAGE.partition("## Who takes what")[2].strip().splitlines()[2:]
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split(" | ")] for line in TABLE if "|" in line
]
TAKES: Final = {name: row[2] for row in ROWS for name in re.findall(r"`([^`]+)`", row[1])}


def test_every_provider_is_in_one_row() -> None:
    named = [name for row in ROWS for name in re.findall(r"`([^`]+)`", row[1])]
    assert sorted(named) == list(catalog.names())


def test_a_row_names_algorithms_of_signatures_and_what_it_needs() -> None:
    for _, _, takes, needs in ROWS:
        assert set(re.findall(r"[A-Z]{2}\d{3}|EdDSA", takes)) <= set(ALGORITHMS)
        assert needs


@pytest.mark.parametrize("name", catalog.names())
def test_a_row_takes_what_the_spec_takes(name: str) -> None:
    trust, takes = catalog.load(name).trust, TAKES[name]
    if trust.algorithms:
        assert takes.split(", ") == list(trust.algorithms)
    else:
        assert (takes == "nothing of ours") is bool(trust.issuers)
        assert not set(takes.split(", ")) & set(ALGORITHMS)
