"""Documented failures: each is told in one sentence which says what to do and repeats nothing."""

from dataclasses import replace
from email.utils import formatdate

import pytest

from fakes.vendors import BY_NAME, NOW, TOKEN, UNKNOWN, Play, Refusal, Vendor, trade
from pullpass.errors import ExchangeError, ExchangeUnavailable, TransportError
from pullpass.exchange.catalog import load
from pullpass.http import Request, Response

REFUSALS = [
    pytest.param(vendor, refusal, id=f"{vendor.name}: {refusal.says[:40]}")
    for vendor in BY_NAME.values()
    for refusal in vendor.refusals
]


@pytest.mark.parametrize(("vendor", "refusal"), REFUSALS)
def test_a_documented_refusal_says_what_to_do(vendor: Vendor, refusal: Refusal) -> None:
    answer = refusal.response(vendor.calls[refusal.call])
    play = Play(vendor=vendor, changed={refusal.call: answer})
    with pytest.raises(ExchangeError) as refused:
        trade(play)
    said, origin = str(refused.value), play.seen[-1].origin
    assert type(refused.value) is refusal.kind
    step = load(vendor.provider).steps[refusal.call].id
    assert said.startswith(
        f"registry {vendor.registry}: step {step} at {origin} answered {refusal.says}"
    )
    assert UNKNOWN not in said
    assert TOKEN not in said
    assert len(said) < 400
    assert len(play.seen) == refusal.call + 1


@pytest.mark.parametrize("name", BY_NAME)
def test_every_code_and_hint_of_a_spec_is_played(name: str) -> None:
    vendor = BY_NAME[name]
    if not vendor.refusals:
        return
    said = [refusal.says for refusal in vendor.refusals]
    for at, step in enumerate(load(vendor.provider).steps[: len(vendor.calls)]):
        for code in step.codes:
            assert any(f"({code})" in one for one in said), code
        played = {refusal.status for refusal in vendor.refusals if refusal.call == at}
        assert step.hints.keys() <= played


def test_a_wrong_clock_is_told_where_no_code_says_more(asked: Vendor) -> None:
    late = Response(status=401, headers={"date": formatdate(NOW - 300, usegmt=True)})
    with pytest.raises(ExchangeError, match="401: compare the clocks: this host's is 300s ahead"):
        trade(Play(vendor=asked, changed={0: late}))


def test_when_to_try_again_is_said(asked: Vendor) -> None:
    busy = Response(status=429, headers={"retry-after": "90"})
    for at in range(len(asked.calls)):
        with pytest.raises(ExchangeUnavailable, match=r"answered 429: .*; try again in 90 seconds"):
            trade(Play(vendor=asked, changed={at: busy}))


def test_a_refusal_without_reason_says_what_to_look_at(asked: Vendor) -> None:
    for status in (400, 401, 403, 404, 405, 413, 418, 422):
        with pytest.raises(ExchangeError, match=rf"answered {status}: [a-z]+.{{20,}}"):
            trade(Play(vendor=asked, changed={0: Response(status=status, body=b"hunter2")}))


def test_who_cannot_be_reached_is_to_be_tried_again(asked: Vendor) -> None:
    class Down(Play):
        def send(self, request: Request) -> Response:
            raise TransportError(f"{request.origin}: no answer (Connection refused)")

    with pytest.raises(ExchangeUnavailable) as failed:
        trade(Down(vendor=replace(asked)))
    moves = load(asked.provider).steps[0].url.moves
    hint = "check exchange and try again" if moves else "try again"
    assert str(failed.value).endswith(f": no answer (Connection refused); {hint}")
