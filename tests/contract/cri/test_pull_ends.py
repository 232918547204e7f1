"""A pull ends as runtime, deadline or client end it, and without a credential with a reason."""

import asyncio
from pathlib import Path

import pytest
from grpc import StatusCode

from fakes.cri import Runtime, Source, bench, config, granted
from fakes.cri.bench import IMAGE, REGISTRY
from fakes.cri.client import V1
from fakes.cri.runtime import echo
from fakes.loop import in_a_loop
from pullpass.errors import AgentUnavailable, CredentialNotFound, ExchangeDenied, MintDenied
from pullpass_plugin._proto.cri_pb2 import AuthConfig

ANSWER = b"\x0a\x03ref"
OWN = AuthConfig(username="kubelet", password="own")
STATUS = f"{V1}/ImageStatus"
# Field 15, of no release so far.
UNKNOWN = b"\x78\x96\x01"


@in_a_loop
async def test_no_credential_fails_the_pull_with_the_reason(place: Path) -> None:
    source = Source([ExchangeDenied("registry.example.com: step token answered 401")])
    async with bench(place, source=source) as found:
        error = await found.client.refused(found.client.pull(IMAGE))

        assert error.code() is StatusCode.UNKNOWN  # whose text alone the kubelet shows
        assert error.details() == (
            f"RegistryUnavailable: no credential for {IMAGE}:"
            " registry.example.com: step token answered 401"
        )
        assert not found.runtime.pulls
        (line,) = [line for line in found.log if line["event"] == "no-credential"]
        assert line["registry"] == REGISTRY


@pytest.mark.parametrize("error", [MintDenied("no fact"), AgentUnavailable("no agent at /x")])
@in_a_loop
async def test_fail_open_pulls_as_the_kubelet_asked(place: Path, error: MintDenied) -> None:
    settings = config(place, fail="open", override=True)
    async with bench(place, settings, source=Source([error])) as found:
        assert await found.client.pull(IMAGE, auth=OWN) == ANSWER

        assert found.runtime.pulls[0].auth == OWN


@in_a_loop
async def test_an_agent_that_does_not_know_the_registry_leaves_the_pull_as_it_is(
    place: Path,
) -> None:
    async with bench(place, source=Source([CredentialNotFound("not ours")])) as found:
        assert await found.client.pull(IMAGE) == ANSWER

        assert not found.runtime.pulls[0].pull.HasField("auth")


@in_a_loop
async def test_an_exchange_that_hangs_ends_in_time_and_delays_nothing_else(place: Path) -> None:
    source = Source([granted("late")])
    source.gate.clear()
    settings = config(place, cri={"exchange_timeout": "3s"})
    runtime = Runtime(answers={STATUS: echo})
    async with bench(place, settings, source=source, runtime=runtime) as found:
        pull = found.client.pull(IMAGE)
        assert await found.client.call(STATUS, b"x") == b"x"
        assert not pull.done()

        error = await found.client.refused(pull)
        assert (error.details() or "").startswith("RegistryUnavailable: ")
        assert "no credential within 3s" in (error.details() or "")


@in_a_loop
async def test_a_pull_without_deadline_has_none_at_the_runtime(place: Path) -> None:
    async with bench(place) as found:
        await found.client.pull(IMAGE)

        left = found.runtime.pulls[0].left
        assert left is None or left > 1e8


@in_a_loop
async def test_a_pull_with_a_deadline_of_1_ms_exceeds_it(place: Path) -> None:
    async with bench(place) as found:
        found.runtime.gate.clear()
        error = await found.client.refused(found.client.pull(IMAGE, timeout=0.001))

        assert error.code() is StatusCode.DEADLINE_EXCEEDED


@in_a_loop
async def test_a_cancelled_pull_is_cancelled_at_the_runtime(place: Path) -> None:
    async with bench(place) as found:
        found.runtime.gate.clear()
        pull = found.client.pull(IMAGE)
        arrived = await found.runtime.call()
        pull.cancel()

        await asyncio.wait_for(arrived.ended.wait(), 5)
        assert arrived.broken_off
        await asyncio.wait_for(found.counters.idle.wait(), 5)


@in_a_loop
async def test_a_pull_that_is_cancelled_at_the_exchange_never_reaches_the_runtime(
    place: Path,
) -> None:
    source = Source([granted("late")])
    source.gate.clear()
    async with bench(place, source=source) as found:
        found.runtime.answers[STATUS] = echo
        pull = found.client.pull(IMAGE)
        await found.client.call(STATUS)
        pull.cancel()
        await asyncio.wait_for(found.counters.idle.wait(), 5)
        source.gate.set()
        await found.client.call(STATUS)

        assert not found.runtime.pulls


@in_a_loop
async def test_while_it_drains_new_pulls_are_refused_and_everything_else_is_served(
    place: Path,
) -> None:
    async with bench(place, runtime=Runtime(answers={STATUS: echo})) as found:
        found.counters.draining = True
        for image in (IMAGE, "elsewhere.example.com/app"):
            error = await found.client.refused(found.client.pull(image))
            assert (error.details() or "").startswith("RegistryUnavailable: pullpass-cri is about")

        assert await found.client.call(STATUS, b"x") == b"x"
        assert not found.runtime.pulls


@in_a_loop
async def test_64_slow_pulls_leave_everything_else_quick(place: Path) -> None:
    async with bench(place, runtime=Runtime(answers={STATUS: echo})) as found:
        found.runtime.gate.clear()
        pulls = [found.client.pull(IMAGE) for _ in range(64)]
        await found.runtime.call(63)

        for _ in range(20):
            assert await found.client.call(STATUS, b"x", timeout=20) == b"x"
        found.runtime.gate.set()
        assert await asyncio.gather(*pulls) == [ANSWER] * 64
