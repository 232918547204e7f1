"""What single providers do beside what tests/contract/providers plays with all of them."""

import pytest

from fakes.answers import Answers
from fakes.exchange import CLAIMS, NOW, says, trade
from fakes.jfrog import JFrog, unsigned
from pullpass.errors import ExchangeError
from pullpass.exchange.catalog import load
from pullpass.exchange.place import Place


def test_jfrog_may_be_on_loopback_without_tls() -> None:
    platform = JFrog(origin="http://127.0.0.1:8081")
    place = Place(registry="127.0.0.1:8081", insecure=True)
    assert trade(platform, place=place).username == "puller"


@pytest.mark.parametrize(
    ("subject", "username"),
    [
        ("jfrt@01h/users/bob", "bob"),
        ("jfrt@01h/bob", "bob"),
        ("jfac@01h/users/ci/bob", "bob"),
        ("strongbox/puller", "strongbox/puller"),
        ("bob", "bob"),
    ],
)
def test_jfrogs_user_name_is_a_path_unless_it_is_of_the_platforms_own_kind(
    subject: str, username: str
) -> None:
    answer = {"access_token": unsigned({"sub": subject})}
    assert trade(says(200, answer)).username == username


@pytest.mark.parametrize("absent", [{"username": None}, {"username": ""}])
def test_an_empty_user_name_of_jfrogs_is_none(absent: dict[str, str | None]) -> None:
    answer = {"access_token": unsigned({"sub": "bob"})} | absent
    assert trade(says(200, answer)).username == "bob"


def test_a_token_that_has_ended_is_not_passed_through() -> None:
    token = unsigned({**CLAIMS, "exp": int(NOW)})
    with pytest.raises(ExchangeError, match="expired already"):
        trade(Answers(answers=[]), spec=load("passthrough"), parameters={}, token=token)
