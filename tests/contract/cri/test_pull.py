"""A pull gets a credential where it is ours and brings none."""

from pathlib import Path

import pytest

from fakes.cri import Runtime, bench, config, pull_request
from fakes.cri.bench import IMAGE, REGISTRY
from fakes.cri.client import V1
from fakes.cri.runtime import echo
from fakes.loop import in_a_loop
from pullpass_plugin._proto.cri_pb2 import AuthConfig

ANSWER = b"\x0a\x03ref"
OWN = AuthConfig(username="kubelet", password="own")
# Field 15, of no release so far.
UNKNOWN = b"\x78\x96\x01"


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
