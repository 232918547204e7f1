import pytest

from fakes.issuing import transit_key
from pullpass.errors import KeyStoreError


def test_the_active_version_signs() -> None:
    key = transit_key("k", "retiring", "active", "published")
    assert key.active.number == 2


@pytest.mark.parametrize("states", [["published"], ["active", "active"], ["compromised"]])
def test_exactly_one_version_signs(states: list[str]) -> None:
    with pytest.raises(KeyStoreError, match="active versions, needs one") as refused:
        _ = transit_key("k", *states).active
    assert "key k" in str(refused.value)


def test_only_what_may_have_signed_or_will_sign_is_published() -> None:
    states = ("created", "published", "active", "retiring", "retired", "destroyed", "compromised")
    shown = transit_key("k", *states).published
    assert [version.state for version in shown] == ["published", "active", "retiring"]


def test_a_version_is_called_by_its_thumbprint() -> None:
    (version,) = transit_key("k").versions
    assert version.kid == version.public.thumbprint()
    assert len(version.kid) == 43
