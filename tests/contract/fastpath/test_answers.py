"""What the agent says is what the client says: byte by byte, on the right stream, once."""

import json
from pathlib import Path

import pytest

from fakes.fastpath import Client, Told, told
from fakes.helper import PROGRAM
from fakes.scripted_agent import NOT_FOUND, SELF, Asked, agent, error, ok
from pullpass.claims import read_token

CREDENTIAL = b'{"ServerURL": "reg.example", "Username": "token", "Secret": "s"}\n'
LONGEST = b"x" * ((1 << 20) - 1) + b"\n"


@pytest.mark.parametrize(
    "body",
    [CREDENTIAL, b"\n", b"{}\n", b"two\nlines\n", bytes(range(256)) + b"\n", LONGEST],
    ids=["a credential", "a line feed", "an object", "two lines", "all bytes", "1 MiB"],
)
@pytest.mark.parametrize("action", ["get", "list"])
def test_a_success_is_printed_as_it_is(
    client: Client, env: dict[str, str], place: Path, action: str, body: bytes
) -> None:
    with agent(place, lambda _: ok(body)) as running:
        said = client.ask(
            action, stdin=b"reg.example", env=env | {"PULLPASS_AGENT": str(running.path)}
        )
    assert said == Told(0, body, b"")
    assert running.asked == [Asked(action, b"reg.example" if action == "get" else b"")]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (b"reg.example: step token answered 401: check it\n", True),
        (b"no credentials server URL\n", True),
        ("Zürich: \u200b\n".encode(), True),
        (b"x" * 4000 + b"\n", True),
        (NOT_FOUND, False),
        (NOT_FOUND.rstrip() + b" \n", True),
    ],
    ids=["a sentence", "Docker's own", "not ASCII", "long", "not found", "almost not found"],
)
def test_a_failure_is_told_on_both_streams_unless_it_is_not_found(
    client: Client, env: dict[str, str], place: Path, line: bytes, *, hint: bool
) -> None:
    with agent(place, lambda _: error(line)):
        said = client.ask("get", stdin=b"x", env=env | {"PULLPASS_AGENT": str(place)})
    assert said == Told(1, line, f"{PROGRAM}: ".encode() + line if hint else b"")


@pytest.mark.parametrize(
    "stdin",
    [b"", b"\n", b" reg.example\r\n", b"\xff\0", bytes(range(256)) * 256],
    ids=["empty", "a line feed", "a line", "not text", "64 KiB"],
)
def test_the_agent_is_shown_what_stdin_held(
    client: Client, env: dict[str, str], place: Path, stdin: bytes
) -> None:
    with agent(place, lambda _: ok(CREDENTIAL)) as running:
        said = client.ask("get", stdin=stdin, env=env | {"PULLPASS_AGENT": str(place)})
    assert said == Told(0, CREDENTIAL, b"")
    assert running.asked == [Asked("get", stdin)]


def test_what_the_agent_leaves_to_its_caller_is_resolved_there(
    client: Client, env: dict[str, str], place: Path
) -> None:
    with agent(place, lambda _: SELF) as running:
        env = env | {"PULLPASS_AGENT": str(place)}
        said = client.ask("get", stdin=b"https://reg.example/v2/\r\n", env=env)
        listed = client.ask("list", stdin=b"unused", env=env)
    assert (said.status, said.stderr) == (0, b"")
    found = json.loads(said.stdout)
    assert found["ServerURL"] == "https://reg.example/v2/"
    assert read_token(found["Secret"]).claims["aud"] == "reg.example"
    assert listed == Told(0, b'{"reg.example": "pullpass"}\n', b"")
    assert [asked.verb for asked in running.asked] == ["get", "list"]


@pytest.mark.parametrize(
    "arguments",
    ["store", "erase", "version", "-v", "--help", "", "get x", "bogus", "Get", "list x y"],
)
def test_the_agent_is_asked_for_nothing_else(
    built: dict[str, Client], env: dict[str, str], place: Path, arguments: str
) -> None:
    with agent(place, lambda _: ok(CREDENTIAL)) as running:
        env = env | {"PULLPASS_AGENT": str(place)}
        stdin = b'{"ServerURL": "reg.example", "Username": "me"}'
        said = [one.ask(*arguments.split(), stdin=stdin, env=env) for one in built.values()]
    assert not running.asked
    assert len(set(said)) == 1
    assert PROGRAM.encode() in said[0].stdout or arguments in {"store", "erase"}


@pytest.mark.parametrize("stdout", ["&-", "/dev/full"], ids=["closed", "full"])
@pytest.mark.parametrize("reply", [ok(CREDENTIAL), error(b"no\n")], ids=["ok", "error"])
def test_a_stdout_that_takes_nothing_is_a_failure(
    client: Client, env: dict[str, str], place: Path, stdout: str, reply: bytes
) -> None:
    with agent(place, lambda _: reply) as running:
        words = ["sh", "-c", f'exec "$0" get >{stdout}', str(client.path)]
        said = told(words, stdin=b"reg.example", env=env | {"PULLPASS_AGENT": str(place)})
    assert said.status == 1
    assert CREDENTIAL not in said.stderr
    # A connection that stood in stdout's place would be sent what is meant for it.
    assert len(running.asked) == (stdout != "&-")


@pytest.mark.parametrize("closed", ["<&-", "2>&-"])
def test_a_stream_that_is_closed_is_no_connection(
    client: Client, env: dict[str, str], place: Path, closed: str
) -> None:
    with agent(place, lambda _: error(b"no\n")) as running:
        words = ["sh", "-c", f'exec "$0" list {closed}', str(client.path)]
        said = told(words, env=env | {"PULLPASS_AGENT": str(place)})
    assert said == Told(0, b'{"reg.example": "pullpass"}\n', b"")
    assert not running.asked
