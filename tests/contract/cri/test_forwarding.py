"""Everything but a pull of ours passes as it came, in both directions."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from grpc import StatusCode, aio

from fakes.cri import Runtime, bench
from fakes.cri.runtime import Context, echo
from fakes.loop import in_a_loop

STATUS: Final = "/runtime.v1.ImageService/ImageStatus"
LIST: Final = "/runtime.v1.ImageService/ListImages"
EVENTS: Final = "/runtime.v1.RuntimeService/GetContainerEvents"
NEW: Final = "/runtime.v9.NewService/Whatever"
METHODS: Final = (STATUS, LIST, "/runtime.v1.RuntimeService/Version", NEW, "/x.Y/Z")
TRAILERS: Final = (("grpc-status-details-bin", b"\x08\x02\x12\x01\xff"), ("x-more", "one"))


async def fail(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
    async for request in requests:
        if request != b"never":
            await context.abort(StatusCode.NOT_FOUND, "é" * 10_000, TRAILERS)
        yield request


async def big(_: AsyncIterator[bytes], __: Context) -> AsyncIterator[bytes]:
    yield b"i" * (12 << 20)


async def hang(_: AsyncIterator[bytes], __: Context) -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def with_metadata(_: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
    await context.send_initial_metadata((("x-first", "a"), ("x-first-bin", b"\x00\xff")))
    context.set_trailing_metadata((("x-last", "b"),))
    yield b"answer"


@pytest.mark.parametrize("method", METHODS)
@in_a_loop
async def test_bytes_pass_as_they_are_whatever_the_method(place: Path, method: str) -> None:
    raw = bytes(range(256)) * 3
    async with bench(place, runtime=Runtime(answers={method: echo})) as found:
        assert await found.client.call(method, raw) == raw
        assert found.runtime.calls[0].messages == [raw]


@pytest.mark.parametrize("method", [STATUS, NEW])
@in_a_loop
async def test_an_empty_message_passes(place: Path, method: str) -> None:
    async with bench(place, runtime=Runtime(answers={method: echo})) as found:
        assert await found.client.call(method, b"") == b""
        assert found.runtime.calls[0].messages == [b""]


@pytest.mark.parametrize("method", METHODS)
@in_a_loop
async def test_a_method_that_the_runtime_lacks_is_unimplemented(place: Path, method: str) -> None:
    async with bench(place) as found:
        error = await found.client.refused(found.client.call(method))
        direct = await found.direct.refused(found.direct.call(method))

        assert error.code() is StatusCode.UNIMPLEMENTED
        assert error.details() == direct.details()


@pytest.mark.parametrize("method", [LIST, NEW])
@in_a_loop
async def test_a_list_of_12_mib_passes(place: Path, method: str) -> None:
    async with bench(place, runtime=Runtime(answers={method: big})) as found:
        assert len(await found.client.call(method)) == 12 << 20


@pytest.mark.parametrize("method", [STATUS, EVENTS, NEW])
@in_a_loop
async def test_an_error_of_20_kb_and_its_trailers_pass(place: Path, method: str) -> None:
    async with bench(place, runtime=Runtime(answers={method: fail})) as found:
        error = await found.client.refused(found.client.call(method))

        assert error.code() is StatusCode.NOT_FOUND
        assert error.details() == "é" * 10_000
        assert tuple(error.trailing_metadata()) == TRAILERS


@pytest.mark.parametrize("method", [STATUS, EVENTS, NEW])
@in_a_loop
async def test_the_metadata_of_an_answer_passes(place: Path, method: str) -> None:
    async with bench(place, runtime=Runtime(answers={method: with_metadata})) as found:
        call = found.client.call(method)

        assert await call == b"answer"
        assert tuple(await call.initial_metadata()) == (
            ("x-first", "a"),
            ("x-first-bin", b"\x00\xff"),
        )
        assert tuple(await call.trailing_metadata()) == (("x-last", "b"),)


@pytest.mark.parametrize("method", [STATUS, EVENTS, NEW])
@in_a_loop
async def test_the_metadata_of_a_request_passes_without_that_of_the_connection(
    place: Path, method: str
) -> None:
    sent = (("traceparent", "00-1-2-03"), ("x-bin", b"\x00\xff"), ("baggage", "a=b"))
    async with bench(place, runtime=Runtime(answers={method: echo})) as found:
        await found.client.call(method, metadata=sent)

        arrived = dict(found.runtime.calls[0].metadata)
        own = arrived.pop("user-agent")
        assert own
        assert arrived == dict(sent)


@pytest.mark.parametrize("method", [STATUS, EVENTS, NEW])
@in_a_loop
async def test_a_call_without_deadline_has_none_at_the_runtime(place: Path, method: str) -> None:
    async with bench(place, runtime=Runtime(answers={method: echo})) as found:
        await found.client.call(method, b"x")

        left = found.runtime.calls[0].left
        assert left is None or left > 1e8


@pytest.mark.parametrize("method", [STATUS, EVENTS, NEW])
@in_a_loop
async def test_a_deadline_passes(place: Path, method: str) -> None:
    async with bench(place, runtime=Runtime(answers={method: echo})) as found:
        await found.client.call(method, b"x", timeout=30)

        left = found.runtime.calls[0].left
        assert left is not None
        assert 20 < left < 31  # gRPC rounds it up


@pytest.mark.parametrize("method", [STATUS, EVENTS, NEW])
@in_a_loop
async def test_a_deadline_that_passes_ends_the_call_at_the_runtime(
    place: Path, method: str
) -> None:
    async with bench(place, runtime=Runtime(answers={method: hang})) as found:
        call = found.client.call(method, b"x", timeout=2)
        ended = asyncio.ensure_future(found.client.refused(call))
        arrived = await found.runtime.call()

        assert (await ended).code() is StatusCode.DEADLINE_EXCEEDED
        await arrived.ended.wait()


@pytest.mark.parametrize("method", [STATUS, NEW])
@in_a_loop
async def test_a_deadline_of_1_ms_is_exceeded(place: Path, method: str) -> None:
    async with bench(place, runtime=Runtime(answers={method: hang})) as found:
        error = await found.client.refused(found.client.call(method, b"x", timeout=0.001))

        assert error.code() is StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("method", [STATUS, EVENTS, NEW])
@in_a_loop
async def test_a_cancelled_call_is_cancelled_at_the_runtime(place: Path, method: str) -> None:
    async with bench(place, runtime=Runtime(answers={method: hang})) as found:
        call = found.client.call(method, b"x")
        arrived = await found.runtime.call()
        call.cancel()

        await asyncio.wait_for(arrived.ended.wait(), 5)
        assert arrived.broken_off


@in_a_loop
async def test_a_stream_of_events_passes_one_by_one(place: Path) -> None:
    more = asyncio.Event()

    async def events(_: AsyncIterator[bytes], __: Context) -> AsyncIterator[bytes]:
        yield b"first"
        await more.wait()
        yield b"second"

    async with bench(place, runtime=Runtime(answers={EVENTS: events})) as found:
        call = found.client.stream(EVENTS, [b"all"])
        assert await call.read() == b"first"  # before the second is there
        more.set()
        assert await call.read() == b"second"
        assert await call.read() is aio.EOF
        assert await call.code() is StatusCode.OK


@in_a_loop
async def test_an_unknown_method_may_send_messages_both_ways(place: Path) -> None:
    async with bench(place, runtime=Runtime(answers={NEW: echo})) as found:
        call = found.client.stream(NEW, [b"a", b"", b"c"])

        assert [message async for message in call] == [b"a", b"", b"c"]


@in_a_loop
async def test_an_unknown_method_may_be_a_talk(place: Path) -> None:
    """Each side waits for the other; the client's end comes last."""
    async with bench(place, runtime=Runtime(answers={NEW: echo})) as found:
        call = found.client.talk(NEW)
        for message in (b"a", b"b", b"c"):
            await call.write(message)
            assert await call.read() == message
        await call.done_writing()
        assert await call.read() is aio.EOF


@in_a_loop
async def test_an_unknown_method_may_be_answered_before_anything_was_sent(place: Path) -> None:
    async def greet(requests: AsyncIterator[bytes], _: Context) -> AsyncIterator[bytes]:
        yield b"hello"
        async for request in requests:
            yield request

    async with bench(place, runtime=Runtime(answers={NEW: greet})) as found:
        call = found.client.talk(NEW)
        assert await call.read() == b"hello"
        await call.write(b"x")
        assert await call.read() == b"x"
        await call.done_writing()
        assert await call.read() is aio.EOF


@in_a_loop
async def test_an_unknown_method_may_be_sent_nothing(place: Path) -> None:
    async with bench(place, runtime=Runtime(answers={NEW: echo})) as found:
        assert [message async for message in found.client.stream(NEW, [])] == []
