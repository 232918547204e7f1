"""A pull is tried again where a fresh credential can help, and only there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from grpc import StatusCode

from fakes.cri import Runtime, Source, bench, config, granted
from fakes.cri.bench import IMAGE, REGISTRY
from fakes.cri.client import V1
from fakes.cri.runtime import Context
from fakes.loop import in_a_loop

ANSWER = b"\x0a\x03ref"
# Field 15, of no release so far.
UNKNOWN = b"\x78\x96\x01"
NO_SPACE = "failed to extract layer: write /var/lib/x: permission denied: no space left on device"


@in_a_loop
async def test_a_credential_that_was_given_before_and_is_revoked_is_replaced_once(
    place: Path,
) -> None:
    source = Source([granted("old", reused=True), granted("new")])
    async with bench(place, source=source, runtime=Runtime(taken={"new"})) as found:
        assert await found.client.pull(IMAGE) == ANSWER

        assert [call.auth.password for call in found.runtime.pulls] == ["old", "new"]
        assert [fresh for *_, fresh in found.source.asked] == [False, True]


@in_a_loop
async def test_a_fresh_credential_that_is_refused_too_ends_the_pull(place: Path) -> None:
    source = Source([granted("old", reused=True), granted("new", reused=True)])
    async with bench(place, source=source, runtime=Runtime(taken=set())) as found:
        error = await found.client.refused(found.client.pull(IMAGE))

        assert "pull access denied" in (error.details() or "")
        assert len(found.runtime.pulls) == 2


@in_a_loop
async def test_a_credential_made_for_this_pull_and_refused_at_once_is_not_tried_again(
    place: Path,
) -> None:
    async with bench(place, runtime=Runtime(taken=set())) as found:
        error = await found.client.refused(found.client.pull(IMAGE))

        assert error.code() is StatusCode.UNKNOWN
        assert len(found.runtime.pulls) == 1


@in_a_loop
async def test_a_credential_that_ended_in_the_middle_of_a_pull_is_replaced(place: Path) -> None:
    """As one whose lifetime was shorter than the pull."""

    async def slow_refusal(
        requests: AsyncIterator[bytes], context: Context
    ) -> AsyncIterator[bytes]:
        await anext(requests)
        if len(runtime.pulls) == 1:
            await asyncio.sleep(2.1)  # the layers that came meanwhile
            await context.abort(StatusCode.UNKNOWN, "unexpected status: 401 Unauthorized")
        yield ANSWER

    runtime = Runtime(answers={f"{V1}/PullImage": slow_refusal})
    async with bench(place, runtime=runtime) as found:
        assert await found.client.pull(IMAGE) == ANSWER

        assert [fresh for *_, fresh in found.source.asked] == [False, True]


@pytest.mark.parametrize("says", [f"{NO_SPACE}: {{image}}", "{image}: context canceled"])
@in_a_loop
async def test_an_error_of_another_kind_is_not_tried_again(place: Path, says: str) -> None:
    """Whatever the image is called: its name stands in the error."""
    source = Source([granted("old", reused=True)])
    image = f"{REGISTRY}/team/insufficient_scope:unauthorized"
    async with bench(place, source=source, runtime=Runtime(taken=set(), says=says)) as found:
        error = await found.client.refused(found.client.pull(image))

        assert error.details() == says.format(image=image)
        assert len(found.runtime.pulls) == 1


@in_a_loop
async def test_a_registry_may_have_a_refusal_of_its_own(place: Path) -> None:
    source = Source([granted("old", reused=True), granted("new")])
    settings = config(place, auth_failures=["Zugang verweigert"])
    runtime = Runtime(taken={"new"}, says="pull: ZUGANG VERWEIGERT")
    async with bench(place, settings, source=source, runtime=runtime) as found:
        assert await found.client.pull(IMAGE) == ANSWER


@in_a_loop
async def test_the_log_holds_no_secret_and_nothing_that_the_runtime_said(place: Path) -> None:
    source = Source([granted("old-s3cret", reused=True), granted("new-s3cret")])
    runtime = Runtime(taken=set(), says='401 Unauthorized: invalid decoded auth: "robotpw"')
    async with bench(place, source=source, runtime=runtime) as found:
        await found.client.refused(found.client.pull(IMAGE))

        assert "credential-refused" in str(found.log)
        assert "s3cret" not in str(found.log)
        assert "robotpw" not in str(found.log)
