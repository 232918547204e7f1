"""containerd pulls private images through the shim; nobody keeps a credential of the registry."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from grpc import StatusCode, aio

from fakes.cri import Client, connected
from fakes.cri.client import V1
from fakes.cri.node import is_there, node
from fakes.deployment import BY_NAMESPACE, SUBJECTS, Deployment, deployed
from fakes.loop import in_a_loop
from fakes.programs import Containerd, containerd
from fakes.relay import relay

IMAGES: Final = f"{V1}/ImageFsInfo"
TEAM_A: Final = SUBJECTS["docker-pull"]


@pytest.fixture
def runtime() -> Iterator[Containerd]:
    with containerd() as prepared:
        yield prepared


@in_a_loop
async def test_a_private_image_is_pulled_without_any_credential_of_the_clients(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    async with node(deployment, runtime).up() as client:
        assert not await is_there(client, reference)

        assert (await client.pull(reference)).startswith(b"\x0a\x47sha256:")

        assert await is_there(client, reference)


@in_a_loop
async def test_the_same_pull_without_the_shim_is_denied(
    reference: str, runtime: Containerd
) -> None:
    with runtime.runs():
        async with connected(runtime.socket) as client:
            error = await client.refused(client.pull(reference, timeout=60))

    assert error.code() is StatusCode.UNKNOWN
    assert "failed to fetch anonymous token: unexpected status: 401" in (error.details() or "")


@in_a_loop
async def test_a_registry_can_authorise_each_namespace_by_itself(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    async with node(deployment, runtime, role=BY_NAMESPACE).up() as client:
        stranger = await client.refused(client.pull(reference, namespace="team-b", name="pod"))
        nobody = await client.refused(client.pull(reference))
        there = await is_there(client, reference)
        await client.pull(reference, namespace=TEAM_A, name="pod")

    assert not there
    for error in (stranger, nobody):
        assert error.code() is StatusCode.UNKNOWN
        assert (error.details() or "").startswith("RegistryUnavailable: ")
    assert "answered 401" in (stranger.details() or "")
    assert "${k8s.namespace}" in (nobody.details() or "")
    assert (
        "no ruleset of connection strongbox speaks of its sub, team-b" in deployment.refusals()[-1]
    )


@in_a_loop
async def test_the_agent_holds_the_key_and_believes_the_shim_what_it_says_of_pods(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    made = node(deployment, runtime, credentials="agent", role=BY_NAMESPACE)
    async with made.up(agent=True) as client:
        stranger = await client.refused(client.pull(reference, namespace="team-b"))
        await client.pull(reference, namespace=TEAM_A)

        assert await is_there(client, reference)

    assert (stranger.details() or "").startswith("RegistryUnavailable: ")
    assert "answered 401" in (stranger.details() or "")


@in_a_loop
async def test_16_pulls_of_one_image_at_once_are_one_exchange(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    made = node(deployment, runtime, credentials="agent", reuse="10m")
    async with made.up(agent=True) as client:
        pulls = [client.pull(reference, namespace=TEAM_A) for _ in range(16)]
        assert len(set(await asyncio.gather(*pulls))) == 1
        status = made.status()

    assert status["counters"]["exchanges"] == 1


@in_a_loop
async def test_a_revoked_credential_recovers_by_itself(
    image: Path, runtime: Containerd, tmp_path: Path
) -> None:
    """The token server's exchange key is replaced, so that it knows none of what it gave out."""
    with deployed(tmp_path) as deployment:
        reference = deployment.publish(image)
        made = node(deployment, runtime, credentials="agent", reuse="10m")
        async with made.up(agent=True) as client:
            await client.pull(reference)
            deployment.revoke()
            answer = await client.pull(reference)
            status = made.status()
        log = (made.place / "pullpass-cri.log").read_text()

    assert answer.startswith(b"\x0a\x47sha256:")
    assert status["counters"]["exchanges"] == 2
    assert log.count('"credential-refused"') == 1
    assert '"reused": true, "again": true' in log


@in_a_loop
async def test_a_connection_that_is_switched_off_ends_pulls_until_it_is_on_again(
    image: Path, runtime: Containerd, tmp_path: Path
) -> None:
    """Though the agent has a credential of before, which would be good for an hour."""
    with deployed(tmp_path) as deployment:
        reference = deployment.publish(image)
        made = node(deployment, runtime, credentials="agent", reuse="10m")
        async with made.up(agent=True) as client:
            await client.pull(reference)
            deployment.trust(active=False)
            await outcome(client, reference, f"RegistryUnavailable: no credential for {reference}")
            deployment.trust(active=True)
            await outcome(client, reference, "")


async def outcome(client: Client, image: str, wanted: str) -> None:
    """Pulls image until the error begins as wanted; an empty one is for none at all."""
    while True:
        try:
            await client.pull(image)
            said = ""
        except aio.AioRpcError as error:
            said = error.details() or ""
        if said.startswith(wanted) and bool(said) == bool(wanted):
            return
        await asyncio.sleep(0.1)


@in_a_loop
async def test_no_agent_fails_the_pull_with_the_reason_and_nothing_else(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    async with node(deployment, runtime, credentials="agent").up() as client:
        error = await client.refused(client.pull(reference))
        await client.call(IMAGES, timeout=30)

    assert (error.details() or "").startswith(f"RegistryUnavailable: no credential for {reference}")
    assert f"no agent at {runtime.directory}/agent.sock" in (error.details() or "")


@pytest.mark.parametrize("named", [True, False])
@in_a_loop
async def test_a_mirror_gets_the_credential_only_where_the_settings_name_it(
    deployment: Deployment, reference: str, runtime: Containerd, *, named: bool
) -> None:
    async with relay(deployment.registry) as mirror:
        host = f"http://{mirror.address}"
        runtime.mirror(deployment.registry, host)
        options = {"server_address": host} if named else {}
        async with node(deployment, runtime, cri=options).up() as client:
            if named:
                await client.pull(reference)
            else:
                error = await client.refused(client.pull(reference))
                assert "401 Unauthorized" in (error.details() or "")
            assert await is_there(client, reference) is named


@in_a_loop
async def test_the_kubelets_services_are_both_there(
    deployment: Deployment, runtime: Containerd
) -> None:
    async with node(deployment, runtime).up() as client:
        version = await client.call("/runtime.v1.RuntimeService/Version", timeout=30)
        await client.call(IMAGES, timeout=30)

    assert b"containerd" in version
