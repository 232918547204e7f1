"""One deployment and one engine for all tests of this folder, which only add images to them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.deployment import Deployment, deployed
from fakes.programs import DOCKER, PULLERS, Puller, dockerd, tiny_image


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OCI layout of a tiny image."""
    return tiny_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def digest(image: Path) -> str:
    """The digest of the image's manifest."""
    index = json.loads((image / "index.json").read_text())
    found: str = index["manifests"][0]["digest"]
    return found


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment on loopback http."""
    with deployed(tmp_path_factory.mktemp("deployment")) as made:
        yield made


@pytest.fixture(scope="session")
def reference(deployment: Deployment, image: Path) -> str:
    """Where the image is in the deployment's registry, pushed through the helper."""
    return deployment.publish(image)


@pytest.fixture
def home(tmp_path: Path, deployment: Deployment) -> Path:
    """A home whose clients ask docker-credential-pullpass for the deployment's registry."""
    return deployment.home(tmp_path / "home")


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """The address of a Docker engine with folders of its own."""
    with dockerd() as address:
        yield address


@pytest.fixture(params=PULLERS, ids=lambda puller: puller.name)
def puller(request: pytest.FixtureRequest) -> Puller:
    """Each client in turn."""
    found: Puller = request.param
    if found is not DOCKER:
        return found
    return replace(found, variables={"DOCKER_HOST": request.getfixturevalue("engine")})
