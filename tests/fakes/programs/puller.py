"""One pull, as each of the clients has it done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fakes.programs.clients import buildah, docker, podman, skopeo
from fakes.programs.process import Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Puller:
    """A client and its words for a pull. ``{}`` stands for the reference.

    Attributes:
        pulls: the arguments that pull.
        shows: the arguments that print the digest of what was pulled.
        quotes: whether a failed helper ends the pull, and what it printed is in the error.
        variables: what the client needs in its environment.
    """

    program: Callable[..., Finished]
    pulls: tuple[str, ...]
    shows: tuple[str, ...]
    quotes: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Returns the program's name."""
        return self.program.__name__

    def pull(self, home: Path, reference: str, **variables: str) -> Finished:
        """Pulls reference."""
        return self._run(home, self.pulls, reference, variables)

    def digest(self, home: Path, reference: str) -> str:
        """Returns the digest of the manifest that was pulled as reference."""
        return self._run(home, self.shows, reference, {}).stdout.strip().rpartition("@")[2]

    def _run(
        self, home: Path, words: tuple[str, ...], reference: str, variables: Mapping[str, str]
    ) -> Finished:
        arguments = [word.replace("{}", reference) for word in words]
        return self.program(home, *arguments, **self.variables, **variables)


SKOPEO: Final = Puller(
    program=skopeo,
    pulls=("copy", "docker://{}", "oci:pulled"),  # below the home, where clients are started
    shows=("inspect", "--format", "{{.Digest}}", "oci:pulled"),
)
PODMAN: Final = Puller(
    program=podman,
    pulls=("pull", "{}"),
    shows=("image", "inspect", "--format", "{{.Digest}}", "{}"),
)
BUILDAH: Final = Puller(
    program=buildah,
    pulls=("pull", "{}"),
    shows=("inspect", "--type", "image", "--format", "{{.FromImageDigest}}", "{}"),
)
DOCKER: Final = Puller(
    program=docker,  # DOCKER_HOST is for the caller to add
    pulls=("pull", "{}"),
    shows=("image", "inspect", "--format", "{{index .RepoDigests 0}}", "{}"),
    quotes=False,  # before 29 it goes on anonymously, and what it passes on is the helper's stderr
)
PULLERS: Final = (SKOPEO, PODMAN, BUILDAH, DOCKER)
