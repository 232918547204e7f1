"""``pullpass docker``: lets Docker, podman and their kin ask pullpass, and takes that back."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pullpass.cli import complete
from pullpass.config.load import load
from pullpass.config.model import Config
from pullpass.dockerconfig import change, document, entries, place
from pullpass.dockerconfig.change import Change
from pullpass.dockerconfig.obstacles import obstacles
from pullpass.dockerconfig.shown import diff
from pullpass.errors import ConfigError
from pullpass.reference import parse_registry
from pullpass.resolve.choose import find_registry

_file = click.option(
    "--file",
    "--config",
    type=click.Path(path_type=Path),
    help="The file to change; by default the one that the clients read.",
)
_podman = click.option(
    "--podman", is_flag=True, help="Change podman's auth.json, not Docker's config.json."
)
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would change and write nothing.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def docker() -> None:
    """Let Docker and its kin ask pullpass for credentials."""


@docker.command()
@click.argument("registries", metavar="[REGISTRY]...", nargs=-1, shell_complete=complete.registries)
@_file
@_podman
@click.option("--force", is_flag=True, help="Take registries from other helpers.")
@_dry_run
@_as_json
def configure(
    registries: Sequence[str],
    *,
    file: Path | None,
    podman: bool,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Let pullpass answer for each REGISTRY, or for all that are configured.

    Everything else in the file stays as it is, and `pullpass docker unconfigure` takes it back.
    podman, buildah and skopeo read Docker's file too.
    """
    hosts = entries.keys(_addresses(load(), registries))
    store = "" if podman else place.default_store(sys.platform, shutil.which)
    done = change.configure(
        file or _usual(podman=podman), hosts, store=store, force=force, dry_run=dry_run
    )
    _show(done, f"pullpass answers for {', '.join(hosts)}", dry_run=dry_run, as_json=as_json)
    values = document.read(done.after)
    for saw, advice in obstacles(values, hosts, os.environ, shutil.which):
        click.echo(f"pullpass: {done.path}: {saw}: {advice}", err=True)


@docker.command()
@_file
@_podman
@_dry_run
@_as_json
def unconfigure(*, file: Path | None, podman: bool, dry_run: bool, as_json: bool) -> None:
    """Take back what configure has done: to the byte where nothing else has changed since."""
    done = change.unconfigure(file or _usual(podman=podman), dry_run=dry_run)
    _show(done, "pullpass is not asked any more", dry_run=dry_run, as_json=as_json)


def _addresses(config: Config, wanted: Sequence[str]) -> list[str]:
    """Returns the registries as the user names them, else all of the configuration."""
    addresses = [parse_registry(one) for one in wanted] or list(config.registries)
    if not addresses:
        raise ConfigError('no registry is configured: add [registry."HOST"]')
    for address in addresses:
        find_registry(config, address)  # refuses what is not configured
    return list(dict.fromkeys(addresses))


def _usual(*, podman: bool) -> Path:
    return place.podman_file(os.environ) if podman else place.docker_file(os.environ)


def _show(done: Change, outcome: str, *, dry_run: bool, as_json: bool) -> None:
    shown = diff(done.path, done.before, done.after)
    changed = done.before != done.after
    if as_json:
        found = {"file": str(done.path), "changed": changed, "diff": shown}
        click.echo(json.dumps(found | {"written": changed and not dry_run}))
    elif dry_run:
        click.echo(shown or f"{done.path}: nothing to change")
    else:
        click.echo(f"{done.path}: {outcome}" + ("" if changed else "; nothing to change"))
