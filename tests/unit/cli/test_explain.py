import json

import pytest

from fakes.node import Node

IMAGE = "registry.example.com/team/app:1.0"

HOST_UNKNOWN = (
    'registry."registry.example.com".credential: only the host is known here and the entries are'
    " for team/*, pods/*: mark one host_default"
)


def test_a_person_sees_who_answers_and_why(node: Node) -> None:
    got = node.pullpass("explain", IMAGE)
    assert (got.status, got.err) == (0, "")
    assert got.out.splitlines() == [
        'registry       registry.example.com, registry."registry.example.com"',
        "repository     team/app",
        "provider       passthrough",
        "audience       registry.example.com",
        "",
        "   entry          repository  matches  specificity  identity",
        "→  credential[0]  team/*      yes      5            issuer nodes, role docker-pull",
        "   credential[1]  pods/*      no       5            issuer nodes, role by-pod",
        "",
        "by repository  credential[0]: the only one that matches",
        "               crane, cosign, pullpass-cri, pullpass get",
        f"by host        {HOST_UNKNOWN}",
        "               docker, buildx, podman, skopeo, helm",
        "agent          answers where it has these settings",
        "its callers    root, the agent's own user",
        "what they get  a fresh one each time",
    ]


def test_a_script_reads_json(node: Node) -> None:
    printed = json.loads(node.pullpass("explain", "--json", IMAGE).out)
    assert printed["by_repository"] == {
        "entry": 'registry."registry.example.com".credential[0]',
        "why": "the only one that matches",
        "exit_status": 0,
    }
    assert printed["by_host"]["exit_status"] == 78
    assert [one["matches"] for one in printed["candidates"]] == [True, False]
    assert printed["agent"]["reuse"] == 0


def test_nothing_is_minted_for_an_explanation(ready: Node) -> None:
    ready.pullpass("explain", IMAGE)
    assert ready.files() == ["keys/identity.json"]


@pytest.mark.parametrize(
    ("image", "status", "answer"),
    [
        ("other.example/app", 1, "registry other.example is not configured"),
        ("registry.example.com/other/app", 1, "no entry covers other/app"),
    ],
)
def test_the_status_is_that_of_a_pull(node: Node, image: str, status: int, answer: str) -> None:
    got = node.pullpass("explain", image)
    assert (got.status, got.err) == (status, "")
    assert answer in got.out


def test_the_policy_of_the_agent_is_shown(node: Node) -> None:
    node.configure('[agent]\nallow = [{ group = "docker" }]\n')
    lines = node.pullpass("explain", IMAGE).out.splitlines()
    assert "its callers    group docker" in lines
    port = node.pullpass("explain", "registry.example.com:443/team/app").out
    assert "leaves it to whoever asks" in port


def test_what_is_no_image_is_refused(node: Node) -> None:
    assert node.pullpass("explain", "https://registry.example.com/a").status == 65
