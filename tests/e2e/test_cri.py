"""containerd pulls private images through the shim; nobody keeps a credential of the registry."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from grpc import StatusCode, aio

from fakes.cri import Client, connected, pull_request
from fakes.cri.agent import KeepingAgent, agent_listening
from fakes.cri.client import V1
from fakes.deployment import BY_NAMESPACE, SUBJECTS, Deployment
from fakes.loop import in_a_loop
from fakes.programs import Containerd, Process, containerd, environment, running
from pullpass.config.load import load
from pullpass.credential import Credential
from pullpass.resolve.choose import Query
from pullpass.resolve.here import resolve_here
from pullpass.secret import Secret

IMAGES: Final = f"{V1}/ImageFsInfo"


@pytest.fixture
def runtime() -> Iterator[Containerd]:
    with containerd() as prepared:
        yield prepared


def settings(
    deployment: Deployment,
    runtime: Containerd,
    *,
    credentials: str = "in-process",
    **changes: object,
) -> Path:
    """Writes the configuration of a node whose shim is before runtime, and returns its path."""
    file = deployment.settings("shim", **changes)
    place = runtime.directory
    with file.open("a") as text:
        text.write(f"""
[cri]
listen = "{place}/cri.sock"
status = "{place}/status.sock"
backend = "{runtime.socket}"
agent = "{place}/agent.sock"
credentials = "{credentials}"
exchange_timeout = "5s"
""")
    return file


@contextmanager
def shim(deployment: Deployment, config: Path, place: Path) -> Iterator[Process]:
    env = environment(**deployment.environment(config))
    with running(["pullpass-cri"], log=place / "shim.log", env=env) as process:
        process.until(lambda: '"listening"' in process.printed())
        yield process


@asynccontextmanager
async def through(
    deployment: Deployment, runtime: Containerd, **changes: str
) -> AsyncIterator[Client]:
    """Gives a client of a shim before a containerd."""
    config = settings(deployment, runtime, **changes)
    with runtime.runs(), shim(deployment, config, runtime.directory):
        async with connected(runtime.directory / "cri.sock") as client:
            yield client


async def resolved(deployment: Deployment, config: Path) -> Credential:
    """Returns a credential as the node gets one by itself."""
    node = load(deployment.environment(config))
    query = Query(registry=deployment.registry)
    return (await asyncio.to_thread(resolve_here, node, query)).credential


async def is_there(client: Client, image: str) -> bool:
    """Tells whether the runtime has image: ImageStatus answers an empty message for others."""
    spec = pull_request(image).image.SerializeToString()
    raw = b"\x0a" + bytes([len(spec)]) + spec
    return await client.call(f"{V1}/ImageStatus", raw, timeout=30) != b""


@in_a_loop
async def test_a_private_image_is_pulled_without_any_credential_of_the_clients(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    async with through(deployment, runtime) as client:
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
    async with through(deployment, runtime, role=BY_NAMESPACE) as client:
        stranger = await client.refused(client.pull(reference, namespace="team-b", name="pod"))
        nobody = await client.refused(client.pull(reference))
        there = await is_there(client, reference)
        await client.pull(reference, namespace=SUBJECTS["docker-pull"], name="pod")

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
    config = settings(deployment, runtime, credentials="agent", role=BY_NAMESPACE)
    place = runtime.directory
    with config.open("a") as text:
        text.write(f'[agent]\nsocket = "{place}/agent.sock"\nshim = {{ uid = 0 }}\n')
    env = environment(**deployment.environment(config))
    with (
        running(["pullpass", "agent"], log=place / "agent.log", env=env) as agent,
        runtime.runs(),
        shim(deployment, config, place),
    ):
        agent.until((place / "agent.sock").is_socket)
        async with connected(place / "cri.sock") as client:
            stranger = await client.refused(client.pull(reference, namespace="team-b"))
            await client.pull(reference, namespace=SUBJECTS["docker-pull"])

            assert await is_there(client, reference)

    assert (stranger.details() or "").startswith("RegistryUnavailable: ")
    assert "answered 401" in (stranger.details() or "")


@in_a_loop
async def test_a_revoked_credential_recovers_by_itself(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    config = settings(deployment, runtime, credentials="agent")
    first = await resolved(deployment, config)
    # What the registry's side no longer knows: it checks the signature, and no list.
    revoked = replace(first, secret=Secret(first.secret.reveal()[:-8] + "revokedA"))
    agent = KeepingAgent(kept=revoked, resolve=lambda _: resolved(deployment, config))
    with runtime.runs(), shim(deployment, config, runtime.directory) as process:
        async with (
            agent_listening(agent, runtime.directory / "agent.sock"),
            connected(runtime.directory / "cri.sock") as client,
        ):
            await client.pull(reference)
            assert await is_there(client, reference)
        log = process.printed()

    assert [wanted["fresh"] for wanted in agent.asked] == [False, True]
    assert '"credential-refused"' in log
    for secret in (first.secret, revoked.secret):
        assert secret.reveal() not in log


@in_a_loop
async def test_no_agent_fails_the_pull_with_the_reason_and_nothing_else(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    async with through(deployment, runtime, credentials="agent") as client:
        error = await client.refused(client.pull(reference))
        await client.call(IMAGES, timeout=30)

    assert (error.details() or "").startswith(f"RegistryUnavailable: no credential for {reference}")
    assert f"no agent at {runtime.directory}/agent.sock" in (error.details() or "")


@in_a_loop
async def test_the_kubelets_services_are_both_there(
    deployment: Deployment, runtime: Containerd
) -> None:
    async with through(deployment, runtime) as client:
        version = await client.call("/runtime.v1.RuntimeService/Version", timeout=30)
        await client.call(IMAGES, timeout=30)
        streams = await client.refused(client.call(f"{V1}/StreamImages", timeout=30))

    assert b"containerd" in version
    assert streams.code() is StatusCode.UNIMPLEMENTED  # 1.6.20 has none, and none is invented


@in_a_loop
async def test_containerd_restarts_and_the_shim_goes_on(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    config = settings(deployment, runtime)
    with runtime.runs():
        pass
    with shim(deployment, config, runtime.directory):
        async with connected(runtime.directory / "cri.sock") as client:
            down = await client.refused(client.pull(reference, timeout=30))
            with runtime.runs():
                await _until_up(client)
                await client.pull(reference)

    assert down.code() is StatusCode.UNAVAILABLE


@in_a_loop
async def test_a_shim_that_ends_drains(
    deployment: Deployment, reference: str, runtime: Containerd
) -> None:
    """The pull that runs is finished, a new one refused, everything else served to the end."""
    config = settings(deployment, runtime, credentials="agent")
    held = asyncio.Event()

    async def resolve(_: object) -> Credential:
        await held.wait()
        return await resolved(deployment, config)

    kept = Credential(username="puller", secret=Secret("revoked"))
    agent = KeepingAgent(kept=kept, resolve=resolve)
    with runtime.runs(), shim(deployment, config, runtime.directory) as process:
        async with (
            agent_listening(agent, runtime.directory / "agent.sock"),
            connected(runtime.directory / "cri.sock") as client,
        ):
            running_pull = client.pull(reference)
            await asyncio.wait_for(agent.fresh_wanted.wait(), 30)
            process.popen.send_signal(signal.SIGTERM)
            process.until(lambda: '"draining"' in process.printed())

            late = await client.refused(client.pull(reference, timeout=30))
            await client.call(IMAGES, timeout=30)
            held.set()
            await running_pull
            assert await asyncio.to_thread(process.popen.wait, 15) == 0

    assert late.code() is StatusCode.UNKNOWN
    assert (late.details() or "").startswith("RegistryUnavailable: pullpass-cri is about to end")


async def _until_up(client: Client) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                await client.call(IMAGES, timeout=5)
            except aio.AioRpcError as error:
                # containerd's socket is there before its plugins are
                assert error.code() in {StatusCode.UNAVAILABLE, StatusCode.UNKNOWN}
                await asyncio.sleep(0.05)
            else:
                return
