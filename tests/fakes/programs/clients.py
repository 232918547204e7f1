"""The clients that pull: skopeo, podman, buildah and docker, each with a home of its own.

All four read ``HOME/.docker/config.json`` and find credential helpers on PATH. Each call gives the
finished process, whose status the caller is to judge. Keywords are environment variables:
``docker(home, "pull", image, DOCKER_HOST=…)``. podman and buildah share the images of a home.
"""

import json
from pathlib import Path

from fakes.programs.process import Finished, environment, finished


def client_home(directory: Path, *, insecure: bool = True) -> Path:
    """Makes a home with the settings of the four clients, and returns it.

    Insecure ones take plain http and any certificate from 127.0.0.1; docker's engine always does.
    """
    containers = directory / ".config" / "containers"
    for folder in (containers, directory / ".docker", directory / "run"):
        folder.mkdir(parents=True, mode=0o700)
    (containers / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    (containers / "registries.conf").write_text(f"""\
[[registry]]
prefix = "127.0.0.1"
location = "127.0.0.1"
insecure = {str(insecure).lower()}
""")
    (containers / "storage.conf").write_text(f"""\
[storage]
driver = "vfs"
graphroot = "{directory}/storage"
runroot = "{directory}/run/storage"
""")
    (containers / "containers.conf").write_text(f"""\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "runc"
static_dir = "{directory}/libpod"
tmp_dir = "{directory}/run/libpod"
volume_path = "{directory}/volumes"
[network]
network_config_dir = "{directory}/networks"
""")
    ask_helper(directory)
    return directory


def ask_helper(home: Path, *registries: str, helper: str = "pullpass") -> None:
    """Lets the clients ask docker-credential-HELPER for these registries and for no others."""
    helpers = dict.fromkeys(registries, helper)
    (home / ".docker" / "config.json").write_text(json.dumps({"credHelpers": helpers}))


def skopeo(home: Path, *arguments: str | Path, **variables: str) -> Finished:
    """Runs skopeo."""
    return _run(home, "skopeo", arguments, variables)


def podman(home: Path, *arguments: str | Path, **variables: str) -> Finished:
    """Runs podman, its images below home. Needs root."""
    return _run(home, "podman", arguments, variables)


def buildah(home: Path, *arguments: str | Path, **variables: str) -> Finished:
    """Runs buildah, its images below home. Needs root."""
    return _run(home, "buildah", arguments, {"BUILDAH_ISOLATION": "chroot", **variables})


def docker(home: Path, *arguments: str | Path, **variables: str) -> Finished:
    """Runs docker; DOCKER_HOST says which engine."""
    return _run(home, "docker", arguments, variables)


def _run(
    home: Path, program: str, arguments: tuple[str | Path, ...], variables: dict[str, str]
) -> Finished:
    return finished([program, *arguments], env=_environment(home) | variables, cwd=home)


def _environment(home: Path) -> dict[str, str]:
    containers = home / ".config" / "containers"
    return environment(
        HOME=str(home),
        XDG_CONFIG_HOME=f"{home}/.config",
        XDG_CACHE_HOME=f"{home}/.cache",
        XDG_DATA_HOME=f"{home}/.local/share",
        XDG_STATE_HOME=f"{home}/.local/state",
        XDG_RUNTIME_DIR=f"{home}/run",
        DOCKER_CONFIG=f"{home}/.docker",
        CONTAINERS_CONF=f"{containers}/containers.conf",
        CONTAINERS_STORAGE_CONF=f"{containers}/storage.conf",
    )
