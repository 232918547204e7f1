"""Where an agent is looked for, and who may be one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fakes.fastpath import Client, Told, below_run, told
from fakes.scripted_agent import NOT_FOUND, Agent, agent, false_agent, ok

NOBODY = 65534
NAMED, OWN, HOST = b"named\n", b"own\n", b"host\n"
BY_ITSELF = Told(1, NOT_FOUND, b"")


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can look into."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made)
        path.chmod(0o755)
        yield path


def listening(stack: ExitStack, place: Path, body: bytes) -> Agent:
    return stack.enter_context(agent(place, lambda _: ok(body)))


@pytest.mark.parametrize(
    ("running", "said"),
    [
        ({NAMED, OWN, HOST}, NAMED),
        ({OWN, HOST}, None),
        (set(), None),
    ],
    ids=["all", "all but the named", "none"],
)
def test_a_named_agent_is_the_only_one(
    client: Client, env: dict[str, str], tmp_path: Path, running: set[bytes], said: bytes | None
) -> None:
    with ExitStack() as stack:
        places = {NAMED: "n", OWN: "o/pullpass/agent.sock", HOST: "h"}
        for body in running:
            listening(stack, tmp_path / places[body], body)
        env = env | {
            "PULLPASS_AGENT": str(tmp_path / "n"),
            "XDG_RUNTIME_DIR": str(tmp_path / "o"),
        }
        words = [*below_run(tmp_path / "h"), str(client.path), "get"]
        found = told(words, stdin=b"other.example", env=env)
    assert found == (Told(0, said, b"") if said else BY_ITSELF)


@pytest.mark.parametrize(
    ("running", "said"),
    [({OWN, HOST}, OWN), ({HOST}, HOST), ({OWN}, OWN), (set(), None)],
    ids=["both", "the host's", "the user's", "none"],
)
def test_the_user_s_own_agent_comes_before_the_host_s(
    client: Client, env: dict[str, str], tmp_path: Path, running: set[bytes], said: bytes | None
) -> None:
    with ExitStack() as stack:
        places = {OWN: "o/pullpass/agent.sock", HOST: "h"}
        for body in running:
            listening(stack, tmp_path / places[body], body)
        env = env | {"PULLPASS_AGENT": "", "XDG_RUNTIME_DIR": str(tmp_path / "o")}
        words = [*below_run(tmp_path / "h"), str(client.path), "get"]
        found = told(words, stdin=b"other.example", env=env)
    assert found == (Told(0, said, b"") if said else BY_ITSELF)


@pytest.mark.parametrize("runtime", [{}, {"XDG_RUNTIME_DIR": ""}], ids=["none", "empty"])
def test_a_user_without_a_runtime_directory_has_the_host_s(
    client: Client, env: dict[str, str], place: Path, runtime: dict[str, str]
) -> None:
    with agent(place, lambda _: ok(HOST)):
        words = [*below_run(place), str(client.path), "get"]
        assert told(words, stdin=b"x", env=env | runtime) == Told(0, HOST, b"")


def test_a_false_agent_of_the_user_is_passed_over_for_the_host_s(
    client: Client, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "pullpass").mkdir()
    own = tmp_path / "pullpass" / "agent.sock"
    with agent(tmp_path / "h", lambda _: ok(HOST)):
        with false_agent(own, uid=NOBODY, reply=ok(OWN), count=99) as sent:
            words = [*below_run(tmp_path / "h"), str(client.path), "get"]
            found = told(words, stdin=b"x", env=env | {"XDG_RUNTIME_DIR": str(tmp_path)})
        assert found == Told(0, HOST, b"")
        assert set(sent) <= {b"b''"}


def test_settings_that_are_named_are_the_full_program_s(
    client: Client, env: dict[str, str], place: Path
) -> None:
    with agent(place, lambda _: ok(NAMED)) as running:
        env = env | {"PULLPASS_AGENT": str(place)}
        by_itself = client.ask("get", stdin=b"x", env=env | {"PULLPASS_CONFIG": "/dev/null"})
        by_agent = client.ask("get", stdin=b"x", env=env | {"PULLPASS_CONFIG": ""})
    assert by_itself == BY_ITSELF
    assert by_agent == Told(0, NAMED, b"")
    assert len(running.asked) == 1


@pytest.mark.parametrize(
    ("uid", "trusted"), [(0, True), (NOBODY, True), (NOBODY - 1, False)], ids=str
)
def test_a_user_s_client_trusts_root_and_the_user(
    built: dict[str, Client], open_directory: Path, uid: int, *, trusted: bool
) -> None:
    """The launcher stands for all: no other user reaches the interpreter of every machine."""
    launcher = str(shutil.copy(built["launcher"].path, open_directory))
    place = open_directory / "a.sock"
    with false_agent(place, uid=uid, reply=ok(NAMED), count=99) as sent:
        words = ["setpriv", f"--reuid={NOBODY}", "--clear-groups", launcher, "get"]
        env = {"PULLPASS_AGENT": str(place), "PATH": os.environ["PATH"]}
        found = told(words, stdin=b"x", env=env)
    assert (found == Told(0, NAMED, b"")) == trusted
    assert (b"b'get 1\\nx'" in sent) == trusted
