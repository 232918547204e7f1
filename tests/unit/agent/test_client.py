import asyncio
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.settings import refusal_of
from pullpass.agent.client import HOST_SOCKET, AgentClient, places
from pullpass.agent.protocol import Reply, Status
from pullpass.errors import (
    AgentError,
    AgentUnavailable,
    ExchangeDenied,
    MalformedInput,
    PullpassError,
)

WITHIN: Final = 20.0  # seconds
GRANTED: Final = {
    "username": "puller",
    "secret": "hunter2",
    "expires_at": None,
    "reused": True,
    "minted_at": 5,
    "until": 9.5,
}


@contextmanager
def saying(directory: Path, reply: bytes, *, silent: bool = False) -> Iterator[Path]:
    """Gives a socket on which whoever asks is told reply, and then the end or nothing more."""
    path = directory / "s"
    with socket.socket(socket.AF_UNIX) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(WITHIN)
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(BrokenPipeError, ConnectionResetError):
                connection.settimeout(WITHIN)
                connection.recv(70_000)
                connection.sendall(reply)
                if silent:
                    connection.recv(1)  # until whoever asks has enough

        served = pool.submit(serve)
        yield path
        served.result(WITHIN)


def told(content: object, status: str = "ok") -> bytes:
    body = json.dumps(content).encode()
    return b"%s %d\n%s" % (status.encode(), len(body), body)


def resolved(path: Path, timeout: float = WITHIN) -> Any:
    return asyncio.run(AgentClient(path, timeout).resolve("reg.example", "team/app"))


def test_a_whole_reply_is_an_answer(tmp_path: Path) -> None:
    with saying(tmp_path, b"ok 3\nabc") as path:
        assert AgentClient(path, WITHIN).ask("get") == Reply(status=Status.OK, body=b"abc")


BAD = [b"", b"ok", b"ok 3\n", b"ok 3\nab", b"ok 3\nabcd", b"okay 3\nabc", b"self 1\nx", b"x" * 100]


@pytest.mark.parametrize("reply", BAD)
def test_anything_else_is_a_failure_and_no_answer(tmp_path: Path, reply: bytes) -> None:
    with saying(tmp_path, reply) as path, pytest.raises(AgentError) as failed:
        AgentClient(path, WITHIN).ask("get")
    assert not isinstance(failed.value, AgentUnavailable)
    assert refusal_of(failed.value)


@pytest.mark.parametrize("reply", BAD)
def test_anything_else_is_a_failure_in_a_loop_too(tmp_path: Path, reply: bytes) -> None:
    with saying(tmp_path, reply) as path, pytest.raises(AgentError) as failed:
        resolved(path)
    assert not isinstance(failed.value, AgentUnavailable)


@pytest.mark.parametrize("reply", [b"", b"ok 3\n", b"ok 3\nab"])
def test_an_agent_that_says_no_more_is_given_up(tmp_path: Path, reply: bytes) -> None:
    late = pytest.raises(AgentError, match="no answer in time")
    with saying(tmp_path, reply, silent=True) as path, late:
        AgentClient(path, 0.2).ask("get")


def test_an_agent_that_says_no_more_is_given_up_in_a_loop_too(tmp_path: Path) -> None:
    late = pytest.raises(AgentError, match="no answer in time")
    with saying(tmp_path, b"ok 3\nab", silent=True) as path, late:
        resolved(path, 0.2)


@pytest.mark.parametrize("name", ["nothing", "file", "left", "x" * 200])
def test_where_no_agent_listens_there_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left"))
    path = tmp_path / name
    with pytest.raises(AgentUnavailable) as none:
        AgentClient(path, WITHIN).ask("get")
    assert refusal_of(none.value).startswith(f"no agent at {path}")
    with pytest.raises(AgentUnavailable):
        resolved(path)


def test_a_credential_is_read_and_shows_no_secret(tmp_path: Path) -> None:
    with saying(tmp_path, told(GRANTED)) as path:
        found = resolved(path)
    assert found.credential.secret.reveal() == "hunter2"
    assert (found.credential.username, found.credential.expires_at) == ("puller", None)
    assert (found.reused, found.minted_at, found.until) == (True, 5.0, 9.5)
    assert "hunter2" not in repr(found)


def test_an_agent_that_does_not_say_how_long_has_it_given_once(tmp_path: Path) -> None:
    said = {name: value for name, value in GRANTED.items() if name != "until"}
    with saying(tmp_path, told(said)) as path:
        assert resolved(path).until == 0.0


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        *({**GRANTED, name: value} for name in ("username", "secret") for value in (1, None)),
        {**GRANTED, "secret": ""},
        *({**GRANTED, "expires_at": value} for value in ("1", True, -1, 1e300, float("nan"))),
        {**GRANTED, "minted_at": None},
        *({**GRANTED, "until": value} for value in (None, "1", float("inf"))),
        {**GRANTED, "reused": 1},
    ],
)
def test_what_is_no_credential_is_a_failure(tmp_path: Path, content: object) -> None:
    with saying(tmp_path, told(content)) as path, pytest.raises(AgentError, match="not as agreed"):
        resolved(path)


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        ("ExchangeDenied", ExchangeDenied),
        ("MalformedInput", MalformedInput),
        ("PullpassError", PullpassError),
        ("NobodyKnows", AgentError),
        ("one_line", AgentError),
        ("ClassVar", AgentError),
    ],
)
def test_a_failure_is_raised_as_if_met_here(
    tmp_path: Path, kind: str, raised: type[PullpassError]
) -> None:
    content = {"error": "registry reg.example: no", "kind": kind, "exit_status": 1}
    with saying(tmp_path, told(content, "error")) as path, pytest.raises(PullpassError) as failed:
        resolved(path)
    assert type(failed.value) is raised
    assert str(failed.value) == "registry reg.example: no"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, [HOST_SOCKET]),
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, ["/run/user/7/pullpass/agent.sock", HOST_SOCKET]),
        ({"XDG_RUNTIME_DIR": "/run/user/7", "PULLPASS_AGENT": "/a"}, ["/a"]),
        ({"PULLPASS_AGENT": ""}, [HOST_SOCKET]),
        ({"PULLPASS_AGENT": "/a", "PULLPASS_CONFIG": "/etc/x.toml"}, []),
        ({"PULLPASS_CONFIG": ""}, [HOST_SOCKET]),
    ],
)
def test_an_agent_is_looked_for_at_fixed_places(
    environ: dict[str, str], expected: list[str | Path]
) -> None:
    assert list(places(environ)) == [Path(one) for one in expected]
