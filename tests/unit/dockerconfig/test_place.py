from pathlib import Path

import pytest

from pullpass.dockerconfig.place import default_store, docker_file, podman_file
from pullpass.errors import UsageError


def test_docker_reads_its_directory_or_the_one_of_the_home() -> None:
    assert docker_file({"HOME": "/h"}) == Path("/h/.docker/config.json")
    assert docker_file({"HOME": "/h", "DOCKER_CONFIG": "/d"}) == Path("/d/config.json")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "/h/.config/containers/auth.json"),
        ({"XDG_CONFIG_HOME": "/c"}, "/c/containers/auth.json"),
        ({"XDG_CONFIG_HOME": "c"}, "/h/.config/containers/auth.json"),
        ({"REGISTRY_AUTH_FILE": "/r/a.json"}, "/r/a.json"),
    ],
)
def test_podman_reads_a_file_of_its_own(variables: dict[str, str], expected: str) -> None:
    assert podman_file({"HOME": "/h"} | variables) == Path(expected)


@pytest.mark.parametrize("place", [docker_file, podman_file])
def test_without_a_home_the_file_must_be_named(place: object) -> None:
    assert callable(place)
    with pytest.raises(UsageError, match="name the file with --file"):
        place({})


@pytest.mark.parametrize(
    ("platform", "programs", "expected"),
    [
        ("linux", set(), ""),
        ("linux", {"pass"}, ""),
        ("linux", {"pass", "docker-credential-pass"}, "pass"),
        ("linux", {"docker-credential-pass"}, ""),
        ("linux", {"docker-credential-secretservice"}, "secretservice"),
        ("linux", {"pass", "docker-credential-secretservice"}, ""),
        ("darwin", {"docker-credential-osxkeychain", "pass"}, "osxkeychain"),
        ("win32", {"docker-credential-wincred"}, "wincred"),
        ("win32", set(), ""),
    ],
)
def test_the_default_store_is_the_one_that_docker_finds(
    platform: str, programs: set[str], expected: str
) -> None:
    assert default_store(platform, lambda name: name if name in programs else None) == expected
