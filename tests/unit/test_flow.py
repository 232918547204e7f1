import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from pullpass.errors import TransportError
from pullpass.http import Flow, Request, Response, run, run_async


def get(url: str) -> Request:
    return Request(method="GET", url=url)


@dataclass
class Recorded:
    """Answers each request with the next of its answers, or raises it."""

    answers: list[Response | TransportError]
    asked: list[Request] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, TransportError):
            raise answer
        return answer


class RecordedAsync(Recorded):
    async def send(self, request: Request) -> Response:  # type: ignore[override]  # the async twin
        return Recorded.send(self, request)


def drive(flow: Flow[str], answers: list[Response | TransportError]) -> tuple[str, list[Request]]:
    transport = Recorded(answers)
    return run(flow, transport), transport.asked


def drive_async(
    flow: Flow[str], answers: list[Response | TransportError]
) -> tuple[str, list[Request]]:
    transport = RecordedAsync(answers)
    return asyncio.run(run_async(flow, transport)), transport.asked


drivers = pytest.mark.parametrize("drive", [drive, drive_async])
Drive = Callable[[Flow[str], list[Response | TransportError]], tuple[str, list[Request]]]


def two_steps() -> Flow[str]:
    first = yield get("https://a.example/")
    second = yield get(f"https://b.example/{first.status}")
    return f"{first.status} {second.status}"


def second_try() -> Flow[str]:
    try:
        answer = yield get("https://a.example/")
    except TransportError as error:
        answer = yield get("https://b.example/")
        return f"{error}, then {answer.status}"
    return str(answer.status)


def no_step() -> Flow[str]:
    yield from ()
    return "nothing asked"


@drivers
def test_a_flow_is_sent_the_answer_to_each_request(drive: Drive) -> None:
    result, asked = drive(two_steps(), [Response(status=200), Response(status=404)])
    assert result == "200 404"
    assert [one.url for one in asked] == ["https://a.example/", "https://b.example/200"]


@drivers
def test_a_flow_can_go_on_after_a_transport_error(drive: Drive) -> None:
    result, asked = drive(second_try(), [TransportError("a is down"), Response(status=200)])
    assert result == "a is down, then 200"
    assert [one.url for one in asked] == ["https://a.example/", "https://b.example/"]


@drivers
def test_a_transport_error_that_no_flow_wants_ends_it(drive: Drive) -> None:
    with pytest.raises(TransportError, match="b is down"):
        drive(two_steps(), [Response(status=200), TransportError("b is down")])


@drivers
def test_a_flow_may_ask_nothing(drive: Drive) -> None:
    assert drive(no_step(), []) == ("nothing asked", [])
