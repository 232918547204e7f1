import socket
import sys
from pathlib import Path

import pytest

from fakes.programs import environment, finished
from pullpass.config.model import Listener
from pullpass.errors import ConfigError
from pullpass.serving import serve

FACTORY = "pullpass.issuer.app:create"


def refusal(listener: Listener) -> str:
    with pytest.raises(ConfigError) as refused:
        serve(FACTORY, listener)
    return str(refused.value)


def listener(host: str, port: int, tls: Path | None = None) -> Listener:
    return Listener(host=host, port=port, certificate=tls, private_key=tls)


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_is_never_shared_with_another_server(shared: bool) -> None:  # noqa: FBT001 - a table
    with socket.socket() as other:
        if shared:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refusal(listener("127.0.0.1", port))
    assert said.startswith(f"127.0.0.1 port {port} cannot be listened on: Address already in use")


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    lost = tmp_path / "tls.pem"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = refusal(listener("127.0.0.1", port, lost))
    assert f"certificate {lost}" in said
    assert "No such file" in said


@pytest.mark.parametrize(
    ("soft", "hard", "connections"), [(300, 4096, 3840), (4096, 4096, 3840), (64, 100, 1)]
)
def test_there_is_room_for_as_many_connections_as_files(
    soft: int, hard: int, connections: int
) -> None:
    program = (
        f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({soft}, {hard}));"
        "from pullpass.serving import room; print(room(), *r.getrlimit(r.RLIMIT_NOFILE))"
    )
    done = finished([sys.executable, "-c", program], env=environment())
    assert done.stdout.split() == [str(connections), str(hard), str(hard)]
