"""Whether clients on this host ask pullpass."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullpass.check.callers import look_at_clients
from pullpass.check.finding import Level, Seen
from pullpass.dockerconfig.obstacles import PROGRAM
from pullpass.errors import MalformedInput, PullpassError

REGISTRY = "reg.example"
HUB = "docker.io"
OURS = {"credHelpers": {REGISTRY: "pullpass"}}


class Host:
    """A host with Docker's file, and with the helper on PATH unless it is taken away."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "config.json"
        self.program = directory / PROGRAM
        self.program.touch(mode=0o755)
        self.environ = {"DOCKER_CONFIG": str(directory), "PATH": str(directory)}

    def look(self, content: Any = None, registry: str = REGISTRY, **environ: str) -> Seen:
        if content is not None:
            self.file.write_text(content if isinstance(content, str) else json.dumps(content))
        return look_at_clients(registry, self.environ | environ)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_file_that_names_pullpass_is_in_order(host: Host) -> None:
    assert host.look(OURS) == Seen(Level.OK, f"{host.file} lets pullpass answer for {REGISTRY}")


@pytest.mark.parametrize("content", [None, "", {}, {"credHelpers": {"other.example": "pullpass"}}])
def test_a_file_that_names_nobody_is_a_warning_with_the_command_to_run(
    host: Host, content: Any
) -> None:
    seen = host.look(content)
    assert (seen.level, seen.saw) == (
        Level.WARNING,
        f"{host.file} lets nobody answer for {REGISTRY}",
    )
    assert seen.advice.startswith(f"run pullpass docker configure {REGISTRY},")


def test_another_helper_is_a_warning_that_says_how_to_take_over(host: Host) -> None:
    seen = host.look({"credHelpers": {REGISTRY: "ecr-login"}})
    assert seen.saw == f"{host.file} lets ecr-login answer for {REGISTRY}"
    assert f"{REGISTRY} --force" in seen.advice


def test_docker_hub_has_two_names(host: Host) -> None:
    seen = host.look({"credHelpers": {HUB: "pullpass"}}, HUB)
    assert seen.saw == f"{host.file} lets nobody answer for https://index.docker.io/v1/"
    both = {"credHelpers": {HUB: "pullpass", "https://index.docker.io/v1/": "pullpass"}}
    assert host.look(both, HUB).level is Level.OK


def test_a_helper_that_is_not_on_path_is_a_warning(host: Host) -> None:
    host.program.unlink()
    seen = host.look(OURS)
    assert seen.level is Level.WARNING
    assert f"{PROGRAM} is not on PATH" in seen.saw


def test_a_variable_that_hides_the_file_is_a_warning(host: Host) -> None:
    seen = host.look(OURS, DOCKER_AUTH_CONFIG='{"auths": {}}')
    assert seen.level is Level.WARNING
    assert seen.saw.endswith("DOCKER_AUTH_CONFIG is set")


def test_a_password_that_lies_there_still_is_a_warning_and_not_shown(host: Host) -> None:
    seen = host.look(OURS | {"auths": {REGISTRY: {"auth": "aHVudGVyMg=="}}})
    assert seen.level is Level.WARNING
    assert seen.saw.endswith(f"holds a password for {REGISTRY} too")
    assert seen.advice.startswith(f"run docker logout {REGISTRY}")
    assert "aHVudGVyMg" not in repr(seen)


def test_a_file_that_is_not_json_is_an_error_that_names_it(host: Host) -> None:
    with pytest.raises(MalformedInput, match=f"{host.file} is not JSON"):
        host.look("{")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(content=st.dictionaries(st.sampled_from(["credHelpers", "auths", "credsStore"]), JSON))
def test_any_file_is_told_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    host = Host(tmp_path_factory.mktemp("host"))
    try:
        assert host.look(content).saw
    except PullpassError as error:
        assert str(error).isprintable()
