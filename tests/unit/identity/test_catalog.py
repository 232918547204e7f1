from pathlib import Path

import pullpass.identity
from pullpass.config import identities
from pullpass.identity.catalog import SOURCES


def test_every_source_that_can_be_configured_can_be_asked() -> None:
    assert SOURCES.keys() | {identities.AUTO} == identities.SOURCES.keys()


def test_auto_asks_sources_that_need_no_table() -> None:
    found = identities.named(identities.AUTO, {}, "")
    assert tuple(found.parameters) == identities.ORDER


def test_what_a_platform_lacks_is_said_in_a_sentence() -> None:
    for source in SOURCES.values():
        assert source.elsewhere == "" or ": " in source.elsewhere


def rows() -> dict[str, str]:
    """Returns the rows of the table of sources, by each name of a source."""
    lines = (Path(pullpass.identity.__file__).parent / "README.md").read_text().splitlines()
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
