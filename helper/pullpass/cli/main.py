"""The command's root: which commands there are, and how each of them fails."""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Final

import click

from pullpass import __version__
from pullpass.cli.agent import agent
from pullpass.cli.check import check
from pullpass.cli.completion import completion
from pullpass.cli.demo import demo
from pullpass.cli.docker import docker
from pullpass.cli.explain import explain
from pullpass.cli.get import get
from pullpass.cli.issuer import issuer
from pullpass.cli.key import key
from pullpass.cli.mint import mint
from pullpass.cli.node_key import node_key
from pullpass.cli.secret import secret
from pullpass.cli.serve import serve
from pullpass.config.load import VARIABLE
from pullpass.errors import PullpassError, UsageError, one_line

CANNOT_WRITE: Final = 74  # EX_IOERR of sysexits(3)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pullpass")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    help=f"Read this configuration file alone; the same as {VARIABLE}.",
)
def root(config: str | None) -> None:
    """Pull container images while no registry secret is stored anywhere."""
    if config == "":
        raise UsageError("--config is empty: name a file or leave it out")
    if config is not None:
        os.environ[VARIABLE] = config  # the servers' worker processes read it too


root.add_command(agent)
root.add_command(check)
root.add_command(completion)
root.add_command(demo)
root.add_command(docker)
root.add_command(explain)
root.add_command(get)
root.add_command(issuer)
root.add_command(key)
root.add_command(mint)
root.add_command(secret)
root.add_command(node_key)
root.add_command(serve)


def main() -> None:
    """Runs the command with this process's arguments. Never returns."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a mark that the terminal does not know is no error
            stream.reconfigure(errors="replace")
    status = run(sys.argv[1:])
    if isinstance(sys.stdout, TextIOWrapper) and not _written(sys.stdout):
        status = status or CANNOT_WRITE
    sys.exit(status)


def _written(stream: TextIOWrapper) -> bool:
    """Tells whether all went out. Python would try again at its end, with words of its own."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


def run(arguments: Sequence[str]) -> int:
    """Runs the command and returns its exit status; a failure is one line on standard error."""
    try:
        status = root.main(arguments, prog_name="pullpass", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return UsageError.exit_status
    except (click.Abort, KeyboardInterrupt):
        return 130
    except PullpassError as error:
        click.echo(f"pullpass: {error}", err=True)
        return error.exit_status
    except OSError as error:  # no room in the temporary directory or behind stdout, and the like
        where = f"{error.filename}: " if error.filename else ""
        click.echo(
            f"pullpass: {one_line(f'{where}{error.strerror or type(error).__name__}')}", err=True
        )
        return CANNOT_WRITE
    return status if isinstance(status, int) else 0
