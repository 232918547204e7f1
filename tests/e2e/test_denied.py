"""What a credential does not allow, and whom the exchange does not know."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.deployment import ELSEWHERE, ELSEWHERE_REGISTRY, STRANGER, SUBJECTS, Deployment
from fakes.programs import Puller, docker, skopeo

FAULTS = [
    pytest.param(
        {"role": STRANGER},
        f"no ruleset of connection strongbox speaks of its sub, {SUBJECTS[STRANGER]}",
        id="subject",
    ),
    pytest.param(
        {"parameters": {"provider_name": ELSEWHERE}},
        f"needs {ELSEWHERE_REGISTRY}",
        id="audience",
    ),
    pytest.param({"issuer": "other"}, "its iss is not exactly", id="issuer"),
]


@pytest.mark.parametrize(("changes", "reason"), FAULTS)
def test_a_wrong_identity_is_refused_at_the_exchange_and_the_client_says_so(
    *,
    changes: dict[str, Any],
    reason: str,
    puller: Puller,
    deployment: Deployment,
    home: Path,
    reference: str,
) -> None:
    wrong = deployment.settings("wrong", **changes)
    refused_before = len(deployment.refusals())

    done = puller.pull(home, reference, **deployment.environment(wrong))

    assert done.returncode != 0
    sentence = (
        f"registry {deployment.registry}: step token at {deployment.token_server} answered 401"
        " (UNAUTHORIZED): check that provider_name"
    )
    assert f"docker-credential-pullpass: {sentence}" in done.stderr
    assert not puller.quotes or f"out: `{sentence}" in done.stderr
    assert reason in deployment.refusals()[refused_before]


def test_the_registry_denies_skopeo_a_push_that_the_subject_may_not_do(
    deployment: Deployment, home: Path, image: Path, reference: str
) -> None:
    pushed = f"{deployment.registry}/team/app:by-skopeo"

    done = skopeo(home, "copy", f"oci:{image}", f"docker://{pushed}", **deployment.environment())

    assert done.returncode != 0
    assert "requested access to the resource is denied" in done.stderr
    assert tags(deployment, home, reference) == ["v1"]


def test_the_registry_denies_docker_a_push_that_the_subject_may_not_do(
    deployment: Deployment, home: Path, reference: str, engine: str
) -> None:
    pushed = f"{deployment.registry}/team/app:by-docker"
    node = deployment.environment() | {"DOCKER_HOST": engine}
    for step in (("pull", reference), ("tag", reference, pushed)):
        assert docker(home, *step, **node).returncode == 0

    done = docker(home, "push", pushed, **node)

    assert done.returncode != 0
    assert "denied: requested access to the resource is denied" in done.stderr
    assert tags(deployment, home, reference) == ["v1"]


def tags(deployment: Deployment, home: Path, reference: str) -> list[str]:
    """Returns the tags beside reference that the registry has."""
    name = f"docker://{reference.rpartition(':')[0]}"
    done = skopeo(home, "list-tags", name, **deployment.environment())
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)["Tags"]
    return found
