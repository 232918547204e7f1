"""A machine that has Debian's Python and pullpass' package, and nothing else: a root of its own."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fakes.programs import Finished, Process, environment, finished, running, short_directory
from fakes.programs.process import ENDS_WITHIN

PACKAGES: Final = Path(sys.prefix) / "packages"  # what .ci/run builds
_DATABASE: Final = ("var/lib/dpkg/info", "var/lib/dpkg/updates")
_LINKS: Final = ("bin", "lib", "lib64", "sbin")  # a machine of today has them all below /usr
# What the package depends on: the interpreter, its library, what both are linked to, the kernel.
_BORROWED: Final = (
    *("/usr/bin/python3.11", "/usr/lib/python3.11", "/usr/lib/x86_64-linux-gnu"),
    *("/proc", "/dev"),
)
_ENTER: Final = """
root=$1; shift
while [ "$1" != -- ]; do mount --rbind "$1" "$root$1"; shift; done; shift
exec chroot "$@"
"""


def package(kind: str) -> Path:
    """Returns the package of that kind: deb or rpm."""
    (found,) = PACKAGES.glob(f"*.{kind}")  # if there is none: packaging/build .venv/packages
    return found


@dataclass(frozen=True, slots=True)
class Machine:
    """A root directory and what runs there."""

    root: Path

    def dpkg(self, *arguments: str | Path) -> Finished:
        """Runs this host's dpkg for the machine."""
        argv = ["dpkg", f"--root={self.root}", "--force-script-chrootless", "--force-depends"]
        return finished([*argv, *arguments], env=environment())

    def analyze(self, *arguments: str) -> Finished:
        """Runs systemd-analyze on the machine's units."""
        argv = ["systemd-analyze", f"--root={self.root}", "--no-pager", *arguments]
        return finished(argv, env=environment())

    def run(self, *argv: str, stdin: str = "") -> Finished:
        """Runs argv there to its end."""
        return subprocess.run(
            self._entering(argv, "root"),
            input=stdin,
            env=_ENVIRONMENT,
            capture_output=True,
            check=False,
            text=True,
            timeout=ENDS_WITHIN,
        )

    @contextmanager
    def runs(self, *argv: str, user: str = "root") -> Iterator[Process]:
        """Runs argv there as user for the length of a block."""
        log = self.root / f"{Path(argv[0]).name}.log"
        with running(self._entering(argv, user), log=log, env=_ENVIRONMENT) as process:
            yield process

    def path(self, name: str) -> Path:
        """Returns where the machine's file name is on this host."""
        return self.root / name.lstrip("/")

    def user(self, name: str) -> tuple[int, int]:
        """Returns the uid and the gid of the machine's user name."""
        users = [line.split(":") for line in self.path("/etc/passwd").read_text().splitlines()]
        (found,) = [user for user in users if user[0] == name]
        return int(found[2]), int(found[3])

    def _entering(self, argv: tuple[str, ...], user: str) -> list[str]:
        root = str(self.root)
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", _ENTER, "sh"]
        return [*enter, root, *_BORROWED, "--", f"--userspec={user}", root, *argv]


_ENVIRONMENT: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


@contextmanager
def machine() -> Iterator[Machine]:
    """Prepares a machine for the length of a block. Needs root, and Debian's Python 3.11."""
    with short_directory() as root:
        root.chmod(0o755)
        for name in _LINKS:
            (root / "usr" / name).mkdir(parents=True)
            (root / name).symlink_to(f"usr/{name}")
        for name in ("etc", "run", *_DATABASE):
            (root / name).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
        (root / "etc/group").write_text("root:x:0:\n")
        _make_room(root)
        yield Machine(root)


def _make_room(root: Path) -> None:
    """Makes what is borrowed stand there, empty, with the units of this host and the loader."""
    for name in _BORROWED:
        place = root / name.lstrip("/")
        if Path(name).is_dir():
            place.mkdir(parents=True)
        else:
            place.touch()
    for loader in Path("/lib64").glob("ld-linux*"):
        (root / "lib64" / loader.name).symlink_to(loader.readlink())
    shutil.copytree("/lib/systemd/system", root / "etc/systemd/system", symlinks=True)
    shell = root / "bin/sh"  # which units name; the package itself needs none
    shell.touch()
    shell.chmod(0o755)
