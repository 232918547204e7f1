from datetime import UTC, datetime
from typing import Any

import pytest

from fakes.exchange import GOOD, NOW, PLACE, STRONGBOX, TOKEN, says, spec_of, trade
from fakes.jfrog import unsigned
from pullpass.errors import (
    ExchangeError,
)
from pullpass.exchange.catalog import load
from pullpass.exchange.engine import exchange
from pullpass.http import run
from pullpass.secret import Secret

DAY = 24 * 3600
JWT = unsigned({"exp": int(NOW) + 90})


@pytest.mark.parametrize(
    ("rules", "answer", "ends_in"),
    [
        (["in:expires_in"], {"expires_in": 60}, 60),
        (["in:expires_in"], {"expires_in": "3600"}, 3600),
        (["in:expires_in"], {"expires_in": 10 * DAY}, DAY),
        (["in:a.b"], {"a": [{"c": 1}, {"b": 7}]}, 7),
        (["in:expires_in", "fixed:60"], {"expires_in": None}, 60),
        (["in:expires_in", "jwt:exp"], {"token": JWT}, 90),
        (["jwt:exp", "fixed:30"], {"token": JWT}, 90),
        (["jwt:exp", "fixed:30"], {"token": "opaque"}, 30),
        (["jwt:exp", "fixed:30"], {"token": unsigned({"sub": "x"})}, 30),
        (["at:end"], {"end": NOW + 5.5}, 5.5),
        (["at:end"], {"end": 10**12}, DAY),
        (["at:end"], {"end": datetime.fromtimestamp(NOW + 9, UTC).isoformat()}, 9),
        (["at:end"], {"end": "2027-01-15T08:00:01.000000001Z"}, 1),
        (["at:end"], {"end": "9999-12-31T23:59:59-14:00"}, DAY),
        (["in:expires_in"], {}, None),
        ([], {"expires_in": 60}, None),
    ],
)
def test_the_first_rule_that_applies_says_when_a_credential_ends(
    rules: list[str], answer: dict[str, Any], ends_in: float | None
) -> None:
    transport = says(200, {"token": "opaque"} | answer)
    credential = trade(transport, spec=spec_of({}, {"expires": rules}), parameters={})
    assert credential.expires_at == (None if ends_in is None else NOW + ends_in)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        *(("in", value) for value in [0, -1, True, 60.0, "", "60s", "-5", "٣", "9" * 5000, 10**30]),
        *(("in", value) for value in [NOW, int(NOW), [60], {"a": 1}]),
        *(("at", value) for value in [True, "", "soon", "2027-01-15T08:00:00", [1], 10**400]),
        *(("at", value) for value in [0, -(10**20), NOW, "0001-01-01T00:00:00+14:00"]),
    ],
)
def test_an_absurd_or_past_end_is_an_error(rule: str, value: object) -> None:
    transport = says(200, {"token": "opaque", "end": value})
    words = "no lifetime in seconds" if rule == "in" else "no point in time|expired already"
    with pytest.raises(
        ExchangeError, match=rf"^registry acme\.jfrog\.io: step one .*200 with .*({words})"
    ):
        trade(transport, spec=spec_of({}, {"expires": [f"{rule}:end"]}), parameters={})


def test_a_password_that_has_ended_is_an_error() -> None:
    transport = says(200, {"token": unsigned({"exp": 5})})
    with pytest.raises(ExchangeError, match="expired already: check the clock"):
        trade(transport, spec=spec_of({}, {"expires": ["jwt:exp"]}), parameters={})


def test_a_lifetime_begins_before_the_request_is_sent() -> None:
    times = iter([NOW, NOW + 50])
    flow = exchange(load("jfrog"), STRONGBOX, PLACE, Secret(TOKEN), lambda: next(times))
    assert run(flow, says(200, GOOD | {"expires_in": 60})).expires_at == NOW + 60
