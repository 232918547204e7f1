"""What is asked, byte for byte, and what becomes of the documented answer."""

from fakes.vendors import NOW, VENDORS, Play, Vendor, trade
from pullpass.exchange.catalog import load, names
from pullpass.exchange.engine import audience


def test_every_provider_has_another_side() -> None:
    assert {vendor.provider for vendor in VENDORS} == set(names())


def test_the_requests_are_the_documented_ones_and_the_answers_become_a_credential(
    vendor: Vendor,
) -> None:
    play = Play(vendor=vendor)
    credential = trade(play)
    assert not play.faults
    assert len(play.seen) == len(vendor.calls)
    assert (credential.username, credential.secret.reveal()) == (vendor.username, vendor.password)
    assert credential.expires_at == (None if vendor.lives is None else NOW + vendor.lives)


def test_the_subject_token_is_made_for_whom_the_other_side_wants(vendor: Vendor) -> None:
    assert audience(load(vendor.provider), vendor.parameters, vendor.place) == vendor.audience


def test_how_sure_a_spec_is_stands_in_it(vendor: Vendor) -> None:
    assert load(vendor.provider).evidence
