from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fakes.answers import Answers
from pullpass.check.clock import ClockWatch
from pullpass.errors import TransportError
from pullpass.http import Request, Response

NOW = 1_800_000_000
URL = "https://registry.example.com/v2/"


def watched(*dates: str) -> ClockWatch:
    answers = [Response(status=200, headers={"date": date}) for date in dates]
    watch = ClockWatch(transport=Answers(answers=answers), now=lambda: NOW)
    for _ in dates:
        watch.send(Request(method="GET", url=URL))
    return watch


@pytest.mark.parametrize("ahead", [0, 300, -300])
def test_another_host_s_clock_is_read_from_its_answer(ahead: int) -> None:
    assert watched(formatdate(NOW + ahead, usegmt=True)).skews == {URL.removesuffix("/v2/"): ahead}


def test_the_last_answer_of_a_host_counts() -> None:
    dates = [formatdate(NOW + ahead, usegmt=True) for ahead in (300, 1)]
    assert list(watched(*dates).skews.values()) == [1]


def test_the_answer_comes_through_as_it_is() -> None:
    answer = Response(status=418, headers={"date": "soon"}, body=b"tea")
    watch = ClockWatch(transport=Answers(answers=[answer]), now=lambda: NOW)
    assert watch.send(Request(method="GET", url=URL)) is answer


def test_a_host_that_does_not_answer_tells_no_time() -> None:
    watch = ClockWatch(transport=Answers(answers=[TransportError("down")]), now=lambda: NOW)
    with pytest.raises(TransportError, match="down"):
        watch.send(Request(method="GET", url=URL))
    assert watch.skews == {}


@pytest.mark.parametrize(
    "date",
    [
        "",
        "soon",
        "Fri, 15 Jan 2027 08:00:00",
        "Fri, 15 Jan 2027 08:00:00 CET",
        "Fri, 15 Jan 2027 08:00:61 GMT",
        "Fri, 15 Jan 0000 08:00:00 GMT",
        "Fri, 15 Jan 2027 08:00:00 GMT, Fri, 15 Jan 2027 08:00:00 GMT",
        "Fri, 15 Jan 2027 08:00:00 +99999999999999999999",
        "Fri, 15 Jan 99999999999999999999 08:00:00 GMT",
    ],
)
def test_a_date_that_nobody_can_read_is_none(date: str) -> None:
    assert watched(date).skews == {}


@given(st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ .*"))
@example("Fri, 15 Jan 0001 08:00:00 GMT")
def test_any_date_is_a_skew_or_none(date: str) -> None:
    assert all(isinstance(skew, float) for skew in watched(date).skews.values())
