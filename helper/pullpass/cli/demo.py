"""``pullpass demo``: the whole chain on loopback."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from pullpass.errors import UsageError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, one a step.")
@click.option(
    "--client",
    type=click.Choice(["skopeo", "podman", "docker", "builtin"]),
    help="Who pulls; the first that works if left out.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep everything that the demo writes in this new directory.",
)
def demo(*, as_json: bool, client: str | None, keep: Path | None) -> None:
    """Run the whole chain on loopback and show each step.

    An issuer, a token server and a registry are started, an image is pushed and pulled through
    docker-credential-pullpass, and at the end every file is searched for what was issued.
    """
    try:
        from pullpass.demo.chain import demonstrate
        from pullpass.demo.show import display_for
    except ImportError as error:
        raise UsageError("the demo needs more: pip install 'pullpass[server]'") from error
    with _ended_by_signals(), display_for(as_json=as_json) as display:
        if keep is None:
            with tempfile.TemporaryDirectory(prefix="pullpass-demo-") as directory:
                demonstrate(Path(directory), display, client)
        else:
            demonstrate(_new_directory(keep), display, client)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Lets a signal or a closed terminal end the demo as Ctrl-C does: nothing stays behind.

    The demo's servers are in sessions of their own and would outlive it, keys included.
    """

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)  # once is enough: taking down is not interrupted
        raise SystemExit(128 + number)

    there = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # What the caller ignores stays ignored: nohup.
    heard = [number for number in there if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _new_directory(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already: name a new directory") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}: name another one") from error
    return path.resolve()
