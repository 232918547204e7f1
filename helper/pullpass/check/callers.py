"""The callers' side: whether clients on this host ask pullpass, and who then answers."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pullpass import __version__
from pullpass.agent.client import first_status, places
from pullpass.check.finding import Finding, Level, Seen, finding
from pullpass.config.digest import digest
from pullpass.config.model import Config, Registry
from pullpass.dockerconfig import document, entries, file, place
from pullpass.dockerconfig.obstacles import obstacles
from pullpass.errors import AgentUnavailable, MalformedInput, PullpassError, UsageError

_CONFIGURE: Final = "run pullpass docker configure {}, unless only the kubelet pulls here"


def findings(
    config: Config, registry: Registry, environ: Mapping[str, str] = os.environ
) -> Iterator[Finding]:
    """Yields how clients on this host come to an answer for registry."""
    looks: dict[str, Callable[[], Seen]] = {
        "clients": lambda: look_at_clients(registry.address, environ),
        "agent": lambda: look_at_agent(config, registry, environ),
    }
    for link, look in looks.items():
        try:
            yield finding(registry.address, link, look())
        except PullpassError as error:
            yield finding(registry.address, link, Seen(Level.ERROR, str(error)), error.exit_status)


def look_at_clients(registry: str, environ: Mapping[str, str]) -> Seen:
    """Returns whether Docker's file, which podman and others read too, lets clients ask pullpass.

    Raises:
        PullpassError: if the file cannot be read.
    """
    path = place.docker_file(environ)
    try:
        values = document.read(file.read(path).text)
        helpers = entries.answering(values)
    except MalformedInput as error:
        raise MalformedInput(f"{path} {error}: clients cannot read it either") from error
    hosts = entries.keys([registry])
    if others := [host for host in hosts if helpers.get(host) != entries.HELPER]:
        asked = helpers.get(others[0])
        saw = f"{path} lets {asked or 'nobody'} answer for {', '.join(others)}"
        force = " --force" if asked else ""
        return Seen(Level.WARNING, saw, _CONFIGURE.format(f"{registry}{force}"))
    saw = f"{path} lets pullpass answer for {', '.join(hosts)}"
    for but, advice in obstacles(
        values, hosts, environ, lambda name: shutil.which(name, path=environ.get("PATH"))
    ):
        return Seen(Level.WARNING, f"{saw}, and {but}", advice)
    return Seen(Level.OK, saw)


def look_at_agent(config: Config, registry: Registry, environ: Mapping[str, str]) -> Seen:
    """Returns who answers clients of this user: an agent, or each helper by itself.

    Raises:
        AgentError: if an agent listens and gives no answer.
        CallerDenied: if it does not let this user ask.
    """
    if not places(environ):
        return Seen(Level.OK, "PULLPASS_CONFIG is set, so no agent is asked")
    try:
        path, status = first_status(places(environ))
    except (AgentUnavailable, UsageError):  # the latter where this is not Linux
        return Seen(Level.OK, "no agent listens: each pull does the work itself")
    listens = f"an agent listens at {path}"
    known = status.get("registries", {}).get(registry.address)
    if status.get("version") != __version__:
        saw = f"{listens}, of version {status.get('version')} where this is {__version__}"
        return Seen(Level.WARNING, saw, "restart it")
    if known is None:
        return Seen(Level.OK, f"{listens}, and leaves this registry to whoever asks")
    if known != digest(config, registry):
        saw = f"{listens}, with other settings for this registry than those checked here"
        return Seen(Level.WARNING, saw, "let it read them again: send it SIGHUP")
    return Seen(Level.OK, f"{listens}, with the same settings for this registry")
