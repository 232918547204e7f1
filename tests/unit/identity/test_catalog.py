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
