"""What keeps clients from asking pullpass although their file says so. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pullpass.dockerconfig.entries import AUTHS, HELPER

PROGRAM: Final = f"docker-credential-{HELPER}"


class Obstacle(NamedTuple):
    """What is in the way, and what to do."""

    saw: str
    advice: str


def obstacles(
    values: Mapping[str, Any],
    hosts: Sequence[str],
    environ: Mapping[str, str],
    which: Callable[[str], str | None],
) -> Iterator[Obstacle]:
    """Yields what is in the way of pullpass answering for hosts.

    Args:
        values: what the clients' file says.
        hosts: keys, as ``entries.keys`` gives them.
        environ: of the clients.
        which: finds a program on their PATH.
    """
    if which(PROGRAM) is None:
        yield Obstacle(f"{PROGRAM} is not on PATH", "clients look for it there: install it on PATH")
    if environ.get("DOCKER_AUTH_CONFIG"):
        yield Obstacle("DOCKER_AUTH_CONFIG is set", "docker reads it instead of its file: unset it")
    stored = values.get(AUTHS)
    for host in hosts:
        if isinstance(stored, dict) and stored.get(host):
            yield Obstacle(
                f"it holds a password for {host} too",
                f"run docker logout {host}, which takes it away",
            )
