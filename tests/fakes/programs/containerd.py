"""Debian's containerd as a runtime of CRI, apart from any that the machine runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fakes.programs.engine import short_directory
from fakes.programs.process import Process, running


@dataclass(frozen=True, slots=True)
class Containerd:
    """A containerd's folder and its socket; the shim's sockets have room beside it."""

    directory: Path
    socket: Path

    def mirror(self, registry: str, host: str) -> None:
        """Lets it ask host, ``http://host:port``, and nobody else for what registry has."""
        directory = self.directory / "certs.d" / registry
        directory.mkdir(parents=True)
        directory.joinpath("hosts.toml").write_text(
            f'server = "{host}"\n[host."{host}"]\ncapabilities = ["pull", "resolve"]\n'
        )

    @contextmanager
    def runs(self) -> Iterator[Process]:
        """Runs it for the length of a block, again as often as wanted with the same images."""
        argv = ["containerd", "--config", str(self.directory / "containerd.toml")]
        with running(argv, log=self.directory / "containerd.log") as process:
            process.until(lambda: "containerd successfully booted" in process.printed())
            yield process


@contextmanager
def containerd() -> Iterator[Containerd]:
    """Prepares a containerd that pulls, without running it. Needs root.

    It takes plain http from 127.0.0.1 and runs no pods: it has no network for them.
    """
    with short_directory() as home:
        found = Containerd(home, home / "containerd.sock")
        (home / "containerd.toml").write_text(f"""\
version = 2
root = "{home}/root"
state = "{home}/state"
[grpc]
address = "{found.socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{home}/opt"
[plugins."io.containerd.grpc.v1.cri"]
restrict_oom_score_adj = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"
[plugins."io.containerd.grpc.v1.cri".containerd]
# overlayfs is not to be had on every root file system
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{home}/cni"
conf_dir = "{home}/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{home}/certs.d"
""")
        yield found
