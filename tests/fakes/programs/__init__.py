"""Real programs for tests: a registry, an engine and the clients that pull from them."""

from fakes.programs.clients import ask_helper, buildah, client_home, docker, podman, skopeo
from fakes.programs.containerd import Containerd, containerd
from fakes.programs.engine import dockerd, short_directory
from fakes.programs.image import tiny_image
from fakes.programs.openbao import OpenBao, openbao
from fakes.programs.process import (
    Finished,
    NotReady,
    Process,
    answers,
    environment,
    finished,
    free_port,
    listens,
    running,
    uncovered,
)
from fakes.programs.puller import DOCKER, PULLERS, Puller
from fakes.programs.registry import Passwords, Tls, TokenAuth, docker_registry

__all__ = [
    "DOCKER",
    "PULLERS",
    "Containerd",
    "Finished",
    "NotReady",
    "OpenBao",
    "Passwords",
    "Process",
    "Puller",
    "Tls",
    "TokenAuth",
    "answers",
    "ask_helper",
    "buildah",
    "client_home",
    "containerd",
    "docker",
    "docker_registry",
    "dockerd",
    "environment",
    "finished",
    "free_port",
    "listens",
    "openbao",
    "podman",
    "running",
    "short_directory",
    "skopeo",
    "tiny_image",
    "uncovered",
]
