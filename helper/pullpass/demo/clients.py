"""Who pulls in the demo: skopeo, podman or docker where one works, otherwise the built-in puller.

All of them get the credential from a real ``docker-credential-pullpass`` process.
"""

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from pullpass.credential import Credential
from pullpass.demo.settings import REPOSITORY, TAG, Files, kept_environment
from pullpass.errors import PullpassError, RegistryError, one_line
from pullpass.http import Transport, run
from pullpass.registry.place import Place
from pullpass.registry.puller import pull
from pullpass.secret import Secret

HELPER: Final = "docker-credential-pullpass"
TIMEOUT: Final = 60.0  # seconds


class PullFailed(PullpassError):
    """The client of the demo did not pull."""

    exit_status = RegistryError.exit_status


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a client is to pull, and with what."""

    files: Files
    transport: Transport
    digests: frozenset[str]

    @property
    def image(self) -> str:
        """Returns the image's reference."""
        return f"{self.files.addresses.registry}/{REPOSITORY}:{TAG}"

    def environment(self) -> dict[str, str]:
        """Returns the client's environment: a home of its own, and our helper on the PATH."""
        home = self.files.home
        env = self.files.environment(self.files.node)
        scripts = sysconfig.get_path("scripts")
        return {
            **env,
            "PATH": f"{scripts}{os.pathsep}{env.get('PATH', '')}",
            "DOCKER_CONFIG": str(home / ".docker"),
            "XDG_RUNTIME_DIR": str(home / "run"),
        }


Pull = Callable[[Errand], Sequence[str]]  # returns the digests that were verified


def choose(wanted: str | None) -> tuple[str, Pull]:
    """Returns the client of that name, or the first that works here, as name and version.

    Raises:
        PullFailed: if the one that is wanted does not work here.
    """
    if wanted == "builtin":
        return "builtin", _builtin
    for name, (probe, act) in _CLIENTS.items():
        if wanted in {None, name} and (version := _works(probe)):
            return f"{name} {version}", act
    if wanted is not None:
        raise PullFailed(f"{wanted} does not work here: install it, or leave --client out")
    return "builtin", _builtin


def ask_helper(errand: Errand) -> Credential:
    """Returns the credential that a real helper process gives for the demo's registry.

    Raises:
        PullFailed: with the helper's own sentence, if it gives none.
    """
    program = shutil.which(HELPER, path=errand.environment()["PATH"]) or HELPER
    done = _call(errand, [program, "get"], errand.files.addresses.registry)
    answer = json.loads(done)
    return Credential(username=answer["Username"], secret=Secret(answer["Secret"]))


def _builtin(errand: Errand) -> Sequence[str]:
    place = Place(registry=errand.files.addresses.registry, plaintext=True)
    pulled = run(pull(place, REPOSITORY, TAG, ask_helper(errand)), errand.transport)
    return [blob.digest for blob in (pulled.manifest, *pulled.blobs)]


def _skopeo(errand: Errand) -> Sequence[str]:
    target = errand.files.directory / "pulled"
    source = f"docker://{errand.image}"
    options = ["--insecure-policy", "copy", "--src-tls-verify=false"]
    _call(errand, ["skopeo", *options, source, f"oci:{target}:{TAG}"])
    return [_verified(target / "blobs" / "sha256", digest) for digest in sorted(errand.digests)]


def _podman(errand: Errand) -> Sequence[str]:
    home = errand.files.home
    store = [f"--root={home}/storage", f"--runroot={home}/run/storage", "--storage-driver=vfs"]
    policy = home / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}', encoding="ascii")
    options = ["--quiet", "--tls-verify=false", f"--signature-policy={policy}"]
    _call(errand, ["podman", *store, "pull", *options, errand.image])
    shown = ["image", "inspect", "--format={{.Digest}}", errand.image]
    return [_expected(errand, _call(errand, ["podman", *store, *shown]).strip())]


def _docker(errand: Errand) -> Sequence[str]:
    _call(errand, ["docker", "pull", "--quiet", errand.image])
    try:
        shown = ["image", "inspect", "--format={{index .RepoDigests 0}}", errand.image]
        digest = _call(errand, ["docker", *shown]).strip().rpartition("@")[2]
    finally:
        _call(errand, ["docker", "image", "rm", errand.image])
    return [_expected(errand, digest)]


_CLIENTS: Final[Mapping[str, tuple[Sequence[str], Pull]]] = {
    "skopeo": (("skopeo", "--version"), _skopeo),
    "podman": (("podman", "version", "--format={{.Client.Version}}"), _podman),
    "docker": (("docker", "version", "--format={{.Server.Version}}"), _docker),
}
NAMES: Final = (*_CLIENTS, "builtin")


def _works(probe: Sequence[str]) -> str:
    """Returns the version that probe prints, empty if it does not work."""
    try:
        done = subprocess.run(
            probe,
            env=kept_environment(),  # what works there alone would not work in the demo
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = done.stdout.split()
    return words[-1] if words and done.returncode == 0 else ""


def _call(errand: Errand, argv: Sequence[str], stdin: str = "") -> str:
    """Runs a program and returns what it prints. Raises: PullFailed."""
    try:
        done = subprocess.run(
            argv,
            env=errand.environment(),
            input=stdin,
            capture_output=True,
            check=False,
            text=True,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PullFailed(f"{argv[0]} cannot be run: {type(error).__name__}") from error
    if done.returncode != 0:
        raise PullFailed(f"{argv[0]} failed: {one_line(done.stderr)[-400:]}")
    return done.stdout


def _verified(blobs: Path, digest: str) -> str:
    try:
        content = (blobs / digest.removeprefix("sha256:")).read_bytes()
    except OSError as error:
        raise PullFailed(f"{digest} was pushed but not pulled") from error
    if f"sha256:{sha256(content).hexdigest()}" != digest:
        raise PullFailed(f"{digest} is not what was pulled")
    return digest


def _expected(errand: Errand, digest: str) -> str:
    if digest not in errand.digests:
        raise PullFailed(f"{one_line(digest, 100)} was pulled, which nobody pushed")
    return digest
