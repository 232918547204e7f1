"""Real clients pull from a real registry while no registry secret is stored anywhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.deployment import Deployment
from fakes.programs import Puller, ask_helper, client_home, docker_registry, skopeo


@pytest.fixture(scope="session")
def open_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry that asks nobody who he is."""
    with docker_registry(tmp_path_factory.mktemp("open")) as address:
        yield address


def test_a_client_pulls_with_a_credential_made_for_the_pull(
    puller: Puller, deployment: Deployment, home: Path, reference: str, digest: str
) -> None:
    done = puller.pull(home, reference, **deployment.environment())

    assert done.returncode == 0, done.stderr
    assert puller.digest(home, reference) == digest
    assert "docker-credential-pullpass" not in done.stderr  # silence is success


def test_a_registry_that_is_not_configured_is_pulled_from_anonymously(
    *,
    puller: Puller,
    deployment: Deployment,
    open_registry: str,
    image: Path,
    digest: str,
    tmp_path: Path,
) -> None:
    home = client_home(tmp_path / "home")
    reference = f"{open_registry}/team/app:v1"
    done = skopeo(home, "copy", f"oci:{image}", f"docker://{reference}")
    assert done.returncode == 0, done.stderr
    ask_helper(home, open_registry)

    done = puller.pull(home, reference, **deployment.environment())

    assert done.returncode == 0, done.stderr
    assert puller.digest(home, reference) == digest
    assert "docker-credential-pullpass" not in done.stderr
