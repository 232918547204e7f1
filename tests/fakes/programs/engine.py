"""Docker's engine with a containerd of its own, apart from any that the machine runs."""

import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes.programs.process import environment, running


@contextmanager
def dockerd() -> Iterator[str]:
    """Runs an engine that pulls and stores images, and gives its address for DOCKER_HOST.

    Needs root. It makes no bridge, touches no firewall, and takes plain http and any certificate
    from 127.0.0.0/8. Its log is ``dockerd.log`` in logs.
    """
    with short_directory() as home, _containerd(home) as containerd:
        address = home / "docker.sock"
        argv = ["dockerd", *_options(home, containerd, address)]
        env = environment(HOME=str(home))
        with running(argv, log=home / "dockerd.log", env=env) as process:
            process.until(lambda: _pings(address))
            yield f"unix://{address}"


@contextmanager
def _containerd(home: Path) -> Iterator[Path]:
    address = home / "containerd.sock"
    file = home / "containerd.toml"
    file.write_text(f"""\
version = 2
root = "{home}/containerd"
state = "{home}/containerd.run"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{address}"
[plugins."io.containerd.internal.v1.opt"]
path = "{home}/opt"
""")
    with running(["containerd", "--config", file], log=home / "containerd.log") as process:
        process.until(address.is_socket)
        yield address


def _options(home: Path, containerd: Path, address: Path) -> list[str]:
    file = home / "daemon.json"
    file.write_text(json.dumps(_configuration(home)))
    return [
        f"--config-file={file}",
        f"--host=unix://{address}",
        f"--containerd={containerd}",
        f"--pidfile={home}/docker.pid",
    ]


def _configuration(home: Path) -> dict[str, Any]:
    return {
        "data-root": f"{home}/docker",
        "exec-root": f"{home}/docker.run",
        "storage-driver": "vfs",  # overlayfs is not to be had on every root file system
        "insecure-registries": ["127.0.0.0/8"],
        "bridge": "none",
        "iptables": False,
        "ip6tables": False,
        "ip-forward": False,
        "ip-masq": False,
        "userland-proxy": False,
    }


def _pings(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(address))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
        except OSError:
            return False


@contextmanager
def short_directory() -> Iterator[Path]:
    """Gives a folder for sockets, without what may still be mounted there at its end."""
    # Not pytest's: a Unix socket's path has at most 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="engine-"))
    try:
        yield directory
    finally:
        _unmount_below(directory)
        shutil.rmtree(directory)


def _unmount_below(directory: Path) -> None:
    """Takes away what an engine that had to be killed left mounted, the latest first."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in reversed(mounts):
        if Path(mount).is_relative_to(directory):
            subprocess.run(["umount", "--lazy", mount], check=True, timeout=30)
