"""``pullpass key``: transit keys. No other command creates one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pullpass.certificates import certify
from pullpass.cli import complete
from pullpass.cli.table import table
from pullpass.config.load import load
from pullpass.config.model import Config
from pullpass.config.network import network_of
from pullpass.errors import PullpassError, UsageError

if TYPE_CHECKING:
    from pullpass.http import Flow
    from pullpass.keys.source import Keys
    from pullpass.keys.transit import TransitKey

T = TypeVar("T")

_HEADS: Final = ("key", "type", "version", "state", "since", "next", "kid")


@click.group()
def key() -> None:
    """Transit keys, which sign."""


_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_emergency = click.option(
    "--emergency",
    is_flag=True,
    help="Sign with the new version at once, though caches of the JWKS do not know it yet.",
)


@key.command()
@click.argument("name", shell_complete=complete.keys)
@_json
def create(name: str, *, as_json: bool) -> None:
    """Create the key that the configuration calls [keys.NAME]."""
    config = config_of(name)
    version = run_flow(config, keys_of_config(config).create(name)).active
    if as_json:
        click.echo(json.dumps({"key": name, "version": version.number, "kid": version.kid}))
    else:
        click.echo(f"created key {name}, version {version.number}, kid {version.kid}")


@key.command()
@click.argument("name", shell_complete=complete.keys)
@_emergency
@_json
def rotate(name: str, *, emergency: bool, as_json: bool) -> None:
    """Make the version of key NAME that signs next. It is shown for publish_lead before it does."""
    from pullpass.keys.hand import rotate as rotate_key

    config = config_of(name)
    found = run_flow(config, rotate_key(keys_of_config(config), name, emergency=emergency))
    _tell(config, found, as_json=as_json)


@key.command()
@click.argument("name", shell_complete=complete.keys)
@click.argument("version", type=int)
@_json
def retire(name: str, version: int, *, as_json: bool) -> None:
    """Take VERSION of key NAME out of the JWKS, where nothing that it signed is alive."""
    from pullpass.keys.hand import retire as retire_version

    config = config_of(name)
    _tell(
        config,
        run_flow(config, retire_version(keys_of_config(config), name, version)),
        as_json=as_json,
    )


@key.command()
@click.argument("name", shell_complete=complete.keys)
@click.argument("version", type=int)
@_json
def compromise(name: str, version: int, *, as_json: bool) -> None:
    """Say that somebody may know VERSION of key NAME: it is out of use at once, and for good."""
    from pullpass.keys.hand import compromise as compromise_version

    config = config_of(name)
    _tell(
        config,
        run_flow(config, compromise_version(keys_of_config(config), name, version)),
        as_json=as_json,
    )
    if config.keys[name].static:
        click.echo("now run `pullpass issuer publish`: the written JWKS still has it", err=True)
    click.echo(
        "verifiers may keep the old JWKS for its max-age, or until they are restarted: make them"
        " fetch it again, and look into the audit for tokens that nobody asked for",
        err=True,
    )


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a key.")
def list_(*, as_json: bool) -> None:
    """List the configured keys and their versions, without changing anything."""
    config = load()
    keys = keys_of_config(config)
    failure: PullpassError | None = None
    rows: list[Sequence[str]] = []
    for name in config.keys:
        try:
            found = run_flow(config, keys.look(name))
        except PullpassError as error:
            failure = error
            click.echo(f"pullpass: {error}", err=True)
            continue
        if as_json:
            click.echo(json.dumps(_shown(config, found)))
        rows += _rows(config, found)
    if not as_json:
        table(_HEADS, rows)
    if failure:
        raise click.exceptions.Exit(failure.exit_status)


@key.command()
@click.argument("name", shell_complete=complete.keys)
@click.option("--name", "common_name", default="pullpass", help="The certificate's subject.")
def certificate(name: str, common_name: str) -> None:
    """Print a certificate of each shown version of key NAME, as a rootcertbundle wants it."""
    if not 0 < len(common_name) <= 64 or not (common_name.isascii() and common_name.isprintable()):
        raise UsageError("--name takes 1 to 64 printable ASCII characters")
    config = config_of(name)
    for version in run_flow(config, keys_of_config(config).look(name)).published:
        click.echo(certify(version.local, common_name).decode(), nl=False)


def config_of(name: str) -> Config:
    """Returns the settings, which have the key name. Raises: UsageError if they do not."""
    config = load()
    if name not in config.keys:
        raise UsageError(f"there is no key {name} in the configuration: add [keys.{name}] first")
    return config


def keys_of_config(config: Config) -> "Keys":
    """Returns the keys of config. Nothing is opened yet."""
    from pullpass.keys.stores import keys_of

    return keys_of(config)


def run_flow(config: Config, flow: "Flow[T]") -> T:
    """Returns what flow returns, which may ask others as config has it."""
    from pullpass.http import run
    from pullpass.transport import HttpTransport

    with HttpTransport(network_of(config)) as transport:
        return run(flow, transport)


def _tell(config: Config, found: "TransitKey", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_shown(config, found)))
    else:
        table(_HEADS, _rows(config, found))


def _shown(config: Config, found: "TransitKey") -> Mapping[str, Any]:
    from pullpass.keys.rotation import coming

    versions = [
        {
            "version": version.number,
            "state": version.state,
            "since": version.since,
            "kid": version.kid,
            "next": coming(found, config.keys[found.name], version),
        }
        for version in found.versions
    ]
    return {"key": found.name, "type": found.type, "versions": versions}


def _rows(config: Config, found: "TransitKey") -> Iterable[Sequence[str]]:
    for version in _shown(config, found)["versions"]:
        then = [f"{state} {_day(moment)}" for state, moment in version["next"].items()]
        yield (
            found.name,
            found.type,
            str(version["version"]),
            version["state"],
            _day(version["since"]),
            "".join(then),
            version["kid"],
        )


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
