"""A pull gets a credential where it is ours and brings none, and fails with a reason."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from grpc import StatusCode

from fakes.cri import Runtime, Source, bench, config, granted, pull_request
from fakes.cri.bench import IMAGE, REGISTRY
from fakes.cri.client import V1
from fakes.cri.runtime import Context
from fakes.loop import in_a_loop
from pullpass.errors import AgentUnavailable, CredentialNotFound, ExchangeDenied, MintDenied
from pullpass_plugin._proto.cri_pb2 import AuthConfig

ANSWER = b"\x0a\x03ref"
OWN = AuthConfig(username="kubelet", password="own")
STATUS = f"{V1}/ImageStatus"
# Field 15, of no release so far.
UNKNOWN = b"\x78\x96\x01"
NO_SPACE = "failed to extract layer: write /var/lib/x: permission denied: no space left on device"


async def echo(requests: AsyncIterator[bytes], _: Context) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


@in_a_loop
async def test_a_pull_gets_a_credential_that_only_its_registry_is_shown(place: Path) -> None:
    async with bench(place) as found:
        assert await found.client.pull(IMAGE) == ANSWER

        auth = found.runtime.pulls[0].auth
        assert auth == AuthConfig(
            username="puller", password="s3cret", server_address=f"https://{REGISTRY}"
        )
        assert found.source.asked == [(REGISTRY, "team/app", {}, False)]


@pytest.mark.parametrize(
    ("image", "address"),
    [
        ("busybox", "https://registry-1.docker.io"),
        ("docker.io/team/app@sha256:" + "0" * 64, "https://registry-1.docker.io"),
        ("index.docker.io/library/busybox", "https://registry-1.docker.io"),
        (IMAGE, f"https://{REGISTRY}"),
        (f"{REGISTRY}:443/team/app", f"https://{REGISTRY}:443"),
    ],
)
@in_a_loop
async def test_the_server_address_is_the_url_of_whom_the_runtime_asks(
    place: Path, image: str, address: str
) -> None:
    async with bench(place) as found:
        await found.client.pull(image)

        assert found.runtime.pulls[0].auth.server_address == address


@in_a_loop
async def test_a_mirror_that_is_the_real_registry_can_be_named(place: Path) -> None:
    settings = config(place, server_address="https://mirror.example.com:8443")
    async with bench(place, settings) as found:
        await found.client.pull(IMAGE)

        address = found.runtime.pulls[0].auth.server_address
        assert address == "https://mirror.example.com:8443"


@pytest.mark.parametrize(
    "image",
    [
        "other.example.com/team/app",
        f"{REGISTRY}/elsewhere/app",
        "",
        "UPPER/case",
        "a b",
        "x" * 3000,
    ],
)
@in_a_loop
async def test_a_pull_that_is_not_ours_passes_as_it_came(place: Path, image: str) -> None:
    async with bench(place) as found:
        request = pull_request(image, name="pod").SerializeToString() + UNKNOWN
        assert await found.client.call(f"{V1}/PullImage", request) == ANSWER

        assert found.runtime.pulls[0].messages == [request]
        assert not found.source.asked


@in_a_loop
async def test_a_pull_that_is_no_message_is_the_runtimes_to_refuse(place: Path) -> None:
    runtime = Runtime(answers={f"{V1}/PullImage": echo})
    async with bench(place, runtime=runtime) as found:
        assert await found.client.call(f"{V1}/PullImage", b"\xff\xff") == b"\xff\xff"


@pytest.mark.parametrize(
    "auth",
    [
        OWN,
        AuthConfig(auth="cm9ib3Q6cHc="),
        AuthConfig(identity_token="t"),
        AuthConfig(registry_token="t"),
        AuthConfig.FromString(b"\x7a\x01x"),
    ],
    ids=["password", "auth", "identity token", "registry token", "a later kind"],
)
@in_a_loop
async def test_a_credential_of_the_kubelets_own_wins(place: Path, auth: AuthConfig) -> None:
    async with bench(place) as found:
        await found.client.pull(IMAGE, auth=auth)

        assert found.runtime.pulls[0].auth == auth
        assert not found.source.asked


@pytest.mark.parametrize("auth", [AuthConfig(), AuthConfig(server_address=f"https://{REGISTRY}")])
@in_a_loop
async def test_a_credential_without_any_is_none(place: Path, auth: AuthConfig) -> None:
    async with bench(place) as found:
        await found.client.pull(IMAGE, auth=auth)

        assert found.runtime.pulls[0].auth.password == "s3cret"


@in_a_loop
async def test_override_replaces_the_kubelets_credential_whole(place: Path) -> None:
    theirs = AuthConfig(auth="x", identity_token="y", registry_token="z", username="u")
    async with bench(place, config(place, override=True)) as found:
        await found.client.pull(IMAGE, auth=theirs)

        assert found.runtime.pulls[0].auth == AuthConfig(
            username="puller", password="s3cret", server_address=f"https://{REGISTRY}"
        )


@in_a_loop
async def test_fields_of_a_later_kubernetes_are_kept_byte_for_byte(place: Path) -> None:
    image = b"\x0a" + bytes([len(IMAGE)]) + IMAGE.encode()
    later = b"\x92\x01\x04user" + b"\xa2\x01\x03ref" + b"\x12\x06\x0a\x01k\x12\x01v"
    pod = b"\x0a\x0b\x0a\x03pod\x1a\x04team" + b"\x12\x04host" + UNKNOWN
    raw = (
        b"\x0a" + bytes([len(image + later)]) + image + later
        + b"\x1a" + bytes([len(pod)]) + pod
        + UNKNOWN
    )  # fmt: skip
    async with bench(place) as found:
        await found.client.call(f"{V1}/PullImage", raw)

        sent = found.runtime.pulls[0].messages[0]
        assert b"s3cret" in sent
        assert image + later in sent
        assert pod in sent
        assert sent.endswith(UNKNOWN)
        request = found.runtime.pulls[0].pull
        request.ClearField("auth")
        assert request.SerializeToString() == raw


@in_a_loop
async def test_the_older_version_of_cri_is_served_too(place: Path) -> None:
    method = "/runtime.v1alpha2.ImageService/PullImage"
    async with bench(place, runtime=Runtime(answers={method: echo})) as found:
        await found.client.call(method, pull_request(IMAGE).SerializeToString())

        assert found.runtime.pulls[0].auth.password == "s3cret"


@in_a_loop
async def test_what_the_kubelet_says_of_the_pod_becomes_facts_and_its_labels_do_not(
    place: Path,
) -> None:
    request = pull_request(IMAGE, name="web-0", uid="1-2", namespace="team-a")
    # labels {"k8s.namespace": "kube-system"}: field 6 of the pod's configuration.
    label = b"\x32\x1e\x0a\x0dk8s.namespace\x12\x0dkube-systemXX"
    request.sandbox_config.MergeFromString(label)
    async with bench(place) as found:
        await found.client.call(f"{V1}/PullImage", request.SerializeToString())

        facts = {"k8s.namespace": "team-a", "k8s.pod": "web-0", "k8s.uid": "1-2"}
        assert found.source.asked == [(REGISTRY, "team/app", facts, False)]


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
    settings = config(place, cri={"exchange_timeout": "1s"})
    runtime = Runtime(answers={STATUS: echo})
    async with bench(place, settings, source=source, runtime=runtime) as found:
        pull = found.client.pull(IMAGE)
        assert await found.client.call(STATUS, b"x", timeout=1) == b"x"

        error = await found.client.refused(pull)
        assert (error.details() or "").startswith("RegistryUnavailable: ")
        assert "no credential within 1s" in (error.details() or "")


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
            assert await found.client.call(STATUS, b"x", timeout=1) == b"x"
        found.runtime.gate.set()
        assert await asyncio.gather(*pulls) == [ANSWER] * 64


@in_a_loop
async def test_the_log_holds_no_secret_and_nothing_that_the_runtime_said(place: Path) -> None:
    source = Source([granted("old-s3cret", reused=True), granted("new-s3cret")])
    runtime = Runtime(taken=set(), says='401 Unauthorized: invalid decoded auth: "robotpw"')
    async with bench(place, source=source, runtime=runtime) as found:
        await found.client.refused(found.client.pull(IMAGE))

        assert "credential-refused" in str(found.log)
        assert "s3cret" not in str(found.log)
        assert "robotpw" not in str(found.log)
