"""What passes on with a call."""

import pytest

from pullpass_plugin.cri.forwarding import passed, time_left


@pytest.mark.parametrize(
    ("remaining", "passed_on"),
    [(None, None), (9.22e18, None), (30.0, 30.0), (0.0, 0.0), (-0.5, 0.0)],
)
def test_no_deadline_has_several_spellings_and_none_becomes_one(
    remaining: float | None, passed_on: float | None
) -> None:
    assert time_left(remaining) == passed_on


def test_metadata_of_the_connection_stays_behind() -> None:
    own: list[tuple[str, str | bytes]] = [
        (":authority", "localhost"),
        ("user-agent", "grpc-go"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("grpc-timeout", "1S"),
        ("grpc-trace-bin", b"x"),
    ]
    kept = (("traceparent", "00-1"), ("x-bin", b"y"), ("x", "1"), ("x", "2"))

    assert passed([*own, *kept]) == kept
    assert passed(None) == ()
