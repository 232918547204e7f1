"""Which file the clients read, and which store Docker uses where a file names none."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pullpass.errors import UsageError

_STORES: Final = {"darwin": "osxkeychain", "win32": "wincred"}


def docker_file(environ: Mapping[str, str]) -> Path:
    """Returns the file that docker and all who follow it read. Raises: UsageError."""
    if named := environ.get("DOCKER_CONFIG"):
        return Path(named) / "config.json"
    return _home(environ) / ".docker" / "config.json"


def podman_file(environ: Mapping[str, str]) -> Path:
    """Returns the file that podman, buildah and skopeo read first and that outlives a reboot.

    containers-auth.json(5). Raises: UsageError.
    """
    if named := environ.get("REGISTRY_AUTH_FILE"):
        return Path(named)
    settings = Path(environ.get("XDG_CONFIG_HOME", ""))
    above = settings if settings.is_absolute() else _home(environ) / ".config"
    return above / "containers" / "auth.json"


def default_store(platform: str, which: Callable[[str], str | None]) -> str:
    """Returns the store that Docker uses where its file names nobody, empty if there is none.

    https://github.com/docker/cli, cli/config/credentials/default_store*.go (28.2)

    Args:
        platform: as ``sys.platform``.
        which: finds a program on PATH.
    """
    store = _STORES.get(platform) or ("pass" if which("pass") else "secretservice")
    return store if which(f"docker-credential-{store}") else ""


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if not home:
        raise UsageError("HOME is not set: name the file with --file")
    return Path(home)
