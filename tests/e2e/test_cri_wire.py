"""What passes between a client of CRI and a real containerd, with the shim between them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from grpc import StatusCode

from fakes.cri import connected, pull_request
from fakes.cri.client import V1
from fakes.cri.node import Node, is_there, node
from fakes.deployment import Deployment
from fakes.loop import in_a_loop
from fakes.programs import containerd, tiny_image

USER: Final = 3 << 20  # bytes of a user's name, which every list of images repeats
UNKNOWN: Final = b"\x7a\x05later"  # field 15, of no release so far


@pytest.fixture(scope="module")
def served(deployment: Deployment) -> Iterator[Node]:
    """A node that runs for all tests of this file."""
    with containerd() as runtime:
        made = node(deployment, runtime)
        with runtime.runs(), made.shim():
            yield made


@in_a_loop
async def test_a_pull_without_a_deadline_and_with_a_field_of_a_later_release(
    served: Node, reference: str
) -> None:
    raw = pull_request(reference).SerializeToString() + UNKNOWN
    async with served.client() as client:
        assert (await client.call(f"{V1}/PullImage", raw)).startswith(b"\x0a\x47sha256:")
        assert await is_there(client, reference)


@in_a_loop
async def test_a_deadline_of_1_ms_is_exceeded(served: Node, reference: str) -> None:
    async with served.client() as client:
        error = await client.refused(client.pull(reference, timeout=0.001))

    assert error.code() is StatusCode.DEADLINE_EXCEEDED


@in_a_loop
async def test_a_list_of_12_mib_passes(
    served: Node, deployment: Deployment, tmp_path: Path
) -> None:
    images = [tiny_image(tmp_path / name, user=name * USER) for name in "abcd"]
    async with served.client() as client:
        for image in images:
            await client.pull(deployment.publish(image, f"team/{image.name}:v1"))
        assert len(await client.call(f"{V1}/ListImages", timeout=10)) > 12 << 20


@in_a_loop
async def test_an_error_of_20_kb_passes_word_for_word(served: Node) -> None:
    """containerd quotes a reference that it cannot read."""
    raw = pull_request(f"UPPER/{'x' * 20_000}").SerializeToString()
    async with served.client() as client, connected(served.runtime.socket) as direct:
        errors = [
            await one.refused(one.call(f"{V1}/PullImage", raw, timeout=10))
            for one in (client, direct)
        ]

    assert len(errors[0].details() or "") > 20_000
    assert errors[0].details() == errors[1].details()
    assert errors[0].code() is errors[1].code()


@pytest.mark.parametrize(
    "method", [f"{V1}/StreamImages", f"{V1}/NoSuchThing", "/runtime.v9.ImageService/ListImages"]
)
@in_a_loop
async def test_a_method_that_containerd_lacks_is_unimplemented_in_its_own_words(
    served: Node, method: str
) -> None:
    async with served.client() as client, connected(served.runtime.socket) as direct:
        errors = [await one.refused(one.call(method, timeout=10)) for one in (client, direct)]

    assert errors[0].code() is errors[1].code() is StatusCode.UNIMPLEMENTED
    assert errors[0].details() == errors[1].details()
