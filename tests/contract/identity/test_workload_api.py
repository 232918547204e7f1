"""SPIFFE's Workload API over gRPC, on both kinds of sockets."""

import socket
from pathlib import Path

import grpc
import pytest

from fakes.platforms import NOW, REGISTRY, Platform, token
from fakes.platforms.wire import here, show_in_a_loop
from fakes.settings import refusal_of
from fakes.workload_api import FIRST, WorkloadApi, serving
from pullpass.errors import IdentityError


def spiffe(endpoint: str, **told: str) -> Platform:
    return Platform(source="spiffe", told=told, environ={"SPIFFE_ENDPOINT_SOCKET": endpoint})


def test_the_workload_api_gives_its_first_identity(place: Path) -> None:
    api = WorkloadApi()
    with serving(api, place / "api.sock") as endpoint:
        assert here(spiffe(endpoint)).token.reveal() == token()
    (request,) = api.asked
    assert (list(request.audience), request.spiffe_id) == ([REGISTRY], "")


def test_the_workload_api_gives_the_identity_that_is_named(place: Path) -> None:
    api = WorkloadApi()
    with serving(api, place / "api.sock") as endpoint:
        here(spiffe("unix:///elsewhere", socket=endpoint, spiffe_id=FIRST))
        here(spiffe(endpoint.replace("unix://", "unix:")))
    assert [request.spiffe_id for request in api.asked] == [FIRST, ""]


def test_the_workload_api_is_asked_within_an_event_loop(place: Path) -> None:
    with serving(WorkloadApi(), place / "api.sock") as endpoint:
        assert show_in_a_loop(spiffe(endpoint), "").token.reveal() == token()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (
            grpc.StatusCode.PERMISSION_DENIED,
            "PERMISSION_DENIED: it has no identity for this process",
        ),
        (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT: it does not take the audience"),
        (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE: nobody answers there"),
        (grpc.StatusCode.INTERNAL, "INTERNAL: look at the log of SPIFFE's agent"),
    ],
)
def test_a_refusal_of_the_workload_api_is_translated(
    status: grpc.StatusCode, says: str, place: Path
) -> None:
    with serving(WorkloadApi(refuses=status), place / "api.sock") as endpoint:
        said = refused(spiffe(endpoint))
    assert says in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("api", "says"),
    [
        (WorkloadApi(empty=True), "answers without a token: register the workload"),
        (WorkloadApi(gives=lambda _: ""), "answers without a token"),
        (WorkloadApi(gives=lambda _: "hunter2"), "not a signed JWT"),
        (WorkloadApi(gives=lambda _: token("other.example")), "is for other.example"),
        (WorkloadApi(gives=lambda _: token(exp=NOW)), "expired"),
        (WorkloadApi(gives=lambda _: "x" * 70_000), "RESOURCE_EXHAUSTED"),
    ],
)
def test_what_the_workload_api_should_not_give_is_shown_to_nobody(
    api: WorkloadApi, says: str, place: Path
) -> None:
    with serving(api, place / "api.sock") as endpoint:
        assert says in refused(spiffe(endpoint))


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("unix:///nowhere/api.sock", "UNAVAILABLE: nobody answers there"),
        ("/run/spire/api.sock", "is no socket of SPIFFE: write unix:///run"),
        ("http://127.0.0.1", "is no socket of SPIFFE"),
        ("unix:relative", "is no socket of SPIFFE"),
        ("tcp:127.0.0.1:1", "is no socket of SPIFFE"),
    ],
)
def test_an_endpoint_where_nobody_is_says_so(endpoint: str, says: str) -> None:
    assert says in refused(spiffe(endpoint))


def test_the_workload_api_may_listen_on_tcp() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        assert f"the Workload API at {endpoint} answers UNAVAILABLE" in refused(spiffe(endpoint))


def refused(platform: Platform) -> str:
    with pytest.raises(IdentityError) as error:
        here(platform)
    return refusal_of(error.value)
