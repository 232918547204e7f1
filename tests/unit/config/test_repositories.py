from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.settings import REGISTRY, refusal_of, settings
from pullpass.config.parse import parse
from pullpass.errors import ConfigError
from pullpass.glob import matches


def parsed(glob: str, address: str = REGISTRY) -> None:
    values: dict[str, Any] = settings()
    table = values["registry"].pop(REGISTRY)
    table["credential"][0]["repository"] = glob
    values["registry"][address] = table
    parse(values, Path("/nowhere"))


@pytest.mark.parametrize(
    "glob",
    ["*", "**", "team/*", "team/app", "*/app", "te?m/a.b", "a*", "*-x", "a__b/*", "?", "a--b"],
)
def test_a_glob_that_can_match_is_taken(glob: str) -> None:
    parsed(glob)


@pytest.mark.parametrize(
    ("glob", "advice"),
    [
        ("Team/*", "lower case"),
        ("/team/*", "between slashes"),
        ("team/", "between slashes"),
        ("team//app", "between slashes"),
        ("team/*:v1", "between slashes"),
        ("team app", "between slashes"),
        ("-*", "between slashes"),
        ("a..b", "between slashes"),
        ("registry.example.com:443/team/*", "between slashes"),
        ("a" * 256, "longer than 255"),
    ],
)
def test_a_glob_that_can_never_match_is_refused(glob: str, advice: str) -> None:
    with pytest.raises(ConfigError, match="matches no repository: ") as refused:
        parsed(glob)
    assert refused.value.key == f'registry."{REGISTRY}".credential[0].repository'
    assert advice in refusal_of(refused.value)


def test_docker_hub_keeps_its_own_images_below_library() -> None:
    with pytest.raises(ConfigError, match="write library/busybox"):
        parsed("busybox", "docker.io")
    for glob in ("library/busybox", "busybox*", "*"):
        parsed(glob, "docker.io")
    parsed("busybox")


@given(
    st.lists(st.sampled_from(["a", "ab", "a.b", "a__b", "a--b"]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["", "", "?", "*"]), min_size=15, max_size=15),
)
def test_what_matches_a_repository_is_taken(components: list[str], wildcards: list[str]) -> None:
    repository = "/".join(components)
    written = zip(repository, wildcards, strict=False)
    glob = "".join(wildcard or character for character, wildcard in written)
    assert matches(glob, repository)
    parsed(glob)
