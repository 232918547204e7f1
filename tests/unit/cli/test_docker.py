import json
from pathlib import Path

import pytest

from fakes.node import Node

HUB = """
[registry."docker.io"]
provider = "passthrough"
[[registry."docker.io".credential]]
issuer = "nodes"
role = "docker-pull"
"""


@pytest.fixture
def home(node: Node) -> Path:
    """Returns a home, with node's programs on PATH as they are."""
    node.configure(HUB)
    made = node.directory / "home"
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME", "DOCKER_AUTH_CONFIG"):
        node.environment.delenv(name, raising=False)
    node.environment.setenv("HOME", str(made))
    return made


def helpers(file: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(file.read_text())["credHelpers"]
    return found


def test_every_registry_of_the_configuration_is_written(node: Node, home: Path) -> None:
    done = node.pullpass("docker", "configure")
    file = home / ".docker" / "config.json"
    assert done.status == 0
    assert done.out == (
        f"{file}: pullpass answers for registry.example.com, docker.io,"
        " https://index.docker.io/v1/\n"
    )
    assert list(helpers(file)) == [
        "registry.example.com",
        "docker.io",
        "https://index.docker.io/v1/",
    ]
    assert node.pullpass("docker", "configure").out.endswith("; nothing to change\n")


def test_one_registry_is_written_where_one_is_named(node: Node, home: Path) -> None:
    done = node.pullpass("docker", "configure", "registry.example.com:443", "index.docker.io")
    assert done.status == 0
    assert list(helpers(home / ".docker" / "config.json")) == [
        "registry.example.com:443",
        "docker.io",
        "https://index.docker.io/v1/",
    ]


def test_it_is_taken_back(node: Node, home: Path) -> None:
    node.pullpass("docker", "configure")
    done = node.pullpass("docker", "unconfigure")
    assert (done.status, done.err) == (0, "")
    assert list((home / ".docker").iterdir()) == []


@pytest.mark.parametrize("option", ["--file", "--config"])
def test_the_file_may_be_named(node: Node, home: Path, option: str) -> None:
    named = node.directory / "named.json"
    assert node.pullpass("docker", "configure", option, str(named)).status == 0
    assert "docker.io" in helpers(named)
    assert not home.exists()


def test_podman_s_own_file_is_changed_where_it_is_asked_for(node: Node, home: Path) -> None:
    assert node.pullpass("docker", "configure", "--podman").status == 0
    assert "docker.io" in helpers(home / ".config" / "containers" / "auth.json")
    assert not (home / ".docker").exists()
    assert node.pullpass("docker", "unconfigure", "--podman").status == 0


def test_a_dry_run_shows_the_change(node: Node, home: Path) -> None:
    done = node.pullpass("docker", "configure", "--dry-run", "docker.io")
    assert '+\t\t"docker.io": "pullpass",' in done.out.splitlines()
    assert not home.exists()


def test_a_script_reads_json(node: Node, home: Path) -> None:
    done = node.pullpass("docker", "configure", "--json", "docker.io")
    printed = json.loads(done.out)
    assert printed.pop("diff").startswith("--- ")
    file = str(home / ".docker" / "config.json")
    assert printed == {"file": file, "changed": True, "written": True}
    again = json.loads(node.pullpass("docker", "configure", "--json", "docker.io").out)
    assert again == {"file": file, "changed": False, "written": False, "diff": ""}


def test_what_keeps_clients_from_asking_is_told(node: Node, home: Path) -> None:
    node.environment.setenv("PATH", str(home))
    node.environment.setenv("DOCKER_AUTH_CONFIG", "{}")
    file = home / ".docker" / "config.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"auths": {"registry.example.com": {"auth": "aHVudGVyMg=="}}}')
    lines = node.pullpass("docker", "configure").err.splitlines()
    assert len(lines) == 3
    assert "run docker logout registry.example.com" in lines[2]
    assert "aHVudGVyMg" not in "".join(lines)
    assert "docker-credential-pullpass is not on PATH" in lines[0]
    assert "DOCKER_AUTH_CONFIG is set" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("configure", "other.example"), 1, "registry other.example is not configured"),
        (("configure", "https://docker.io"), 65, "write docker.io, without a scheme"),
        (("configure", "--file", "/dev/null/config.json"), 74, "/dev/null cannot be written"),
        (("unconfigure", "--file", "/"), 64, "is a directory"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_cannot_be_done_is_one_sentence(
    node: Node, arguments: tuple[str, ...], status: int, message: str
) -> None:
    failed = node.pullpass("docker", *arguments)
    assert (failed.status, failed.out) == (status, "")
    assert message in failed.err
    assert failed.err.count("\n") == 1


@pytest.mark.usefixtures("home")
def test_without_a_registry_there_is_nothing_to_write(node: Node) -> None:
    node.configure(settings="")
    failed = node.pullpass("docker", "configure")
    assert (failed.status, failed.out) == (78, "")
    assert "no registry is configured" in failed.err
