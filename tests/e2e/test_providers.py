"""Every shape of exchange that the token server answers, up to a real pull."""

from pathlib import Path
from typing import Any

import pytest

from fakes.deployment import ELSEWHERE, Deployment
from fakes.programs import Finished
from fakes.programs.puller import SKOPEO


def shape(provider: str, registry: str, connection: str = "strongbox") -> dict[str, Any]:
    """Returns the settings of a registry whose credential is had in the way of provider."""
    parameters: dict[str, dict[str, str]] = {
        "jfrog": {"provider_name": connection},
        "dockerhub": {
            "connection_id": connection,
            "organization": "acme",
            "audience": registry,
        },
        "rfc8693": {"token_path": "oauth/token", "client_id": connection, "audience": registry},
        "zot": {},
    }
    return {"provider": provider, "parameters": parameters[provider]}


def pulled(deployment: Deployment, home: Path, reference: str, **settings: Any) -> Finished:
    """Pulls with skopeo on a node with these settings of the registry."""
    config = deployment.settings(str(settings["provider"]), **settings)
    return SKOPEO.pull(home, reference, **deployment.environment(config))


@pytest.mark.parametrize("provider", ["jfrog", "dockerhub", "rfc8693", "zot"])
def test_a_client_pulls_by_each_shape(
    *, provider: str, deployment: Deployment, home: Path, reference: str, digest: str
) -> None:
    done = pulled(deployment, home, reference, **shape(provider, deployment.registry))
    assert done.returncode == 0, done.stderr
    assert SKOPEO.digest(home, reference) == digest


@pytest.mark.parametrize("provider", ["jfrog", "dockerhub", "rfc8693"])
def test_another_connection_lets_nobody_in_by_any_shape(
    provider: str, deployment: Deployment, home: Path, reference: str
) -> None:
    settings = shape(provider, deployment.registry, ELSEWHERE)
    done = pulled(deployment, home, reference, **settings)
    assert done.returncode != 0
    assert f"step token at {deployment.token_server} answered 401" in done.stderr
