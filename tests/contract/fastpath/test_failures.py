"""However an agent fails, the client does the work itself and prints no part of an answer."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes.fastpath import Client, Told, build
from fakes.helper import PROGRAM
from fakes.programs import uncovered
from fakes.scripted_agent import NOT_FOUND, SELF, agent, error, false_agent, ok
from pullpass.claims import read_token

CREDENTIAL = b'{"Secret": "s"}\n'
NOBODY = 65534
# What the full program says about a stranger, of whom only the agent knows.
BY_ITSELF = Told(1, NOT_FOUND, b"")
TOO_LONG = b"x" * (1 << 20) + b"\n"


def asked_about(
    client: Client, env: dict[str, str], place: Path, replies: Sequence[bytes]
) -> list[Told]:
    """Returns what client says of one stranger each, about whom the agent sends each of replies."""
    env = uncovered(env) | {"PULLPASS_AGENT": str(place)}
    with (
        agent(place, lambda asked: replies[int(asked.body)]) as running,
        ThreadPoolExecutor(4) as pool,
    ):
        said = list(
            pool.map(lambda at: client.ask("get", stdin=b"%d" % at, env=env), range(len(replies)))
        )
    assert len(running.asked) == len(said)
    return said


@pytest.mark.parametrize("whole", [ok(CREDENTIAL), error(b"no\n")], ids=["ok", "error"])
def test_a_reply_that_is_cut_anywhere_is_no_answer(
    client: Client, env: dict[str, str], place: Path, whole: bytes
) -> None:
    said = asked_about(client, env, place, [whole[:cut] for cut in range(len(whole))])
    assert set(said) == {BY_ITSELF}


WRONG = {
    "a byte behind": ok(CREDENTIAL) + b"x",
    "a line behind": ok(CREDENTIAL) + b"\n",
    "two replies": ok(CREDENTIAL) * 2,
    "an error behind": ok(CREDENTIAL) + error(b"no\n"),
    "another status": ok(CREDENTIAL).replace(b"ok", b"yes"),
    "capital letters": ok(CREDENTIAL).replace(b"ok", b"OK"),
    "no status": ok(CREDENTIAL)[2:],
    "a space in front": b" " + ok(CREDENTIAL),
    "two spaces": ok(CREDENTIAL).replace(b" ", b"  ", 1),
    "a zero in front": ok(CREDENTIAL).replace(b" ", b" 0", 1),
    "a plus": ok(CREDENTIAL).replace(b" ", b" +", 1),
    "an end of line": ok(CREDENTIAL).replace(b"\n", b"\r\n", 1),
    "no length": b"ok\n" + CREDENTIAL,
    "a length in letters": b"ok all\n" + CREDENTIAL,
    "a negative length": b"ok -1\n",
    "a length beyond 64 bits": b"ok %d\n" % (2**64 + len(CREDENTIAL)) + CREDENTIAL,
    "a head without an end": b"o" * 200,
    "zeros": bytes(200),
    "no body": b"ok 0\n",
    "no line feed": b"ok 2\n{}",
    "an error without a line": b"error 0\n",
    "an error of two lines": error(b"no\nno\n"),
    "self with a body": b"self 3\nyes",
    "self": SELF,
    "too long": ok(TOO_LONG),
    "far too long": ok(TOO_LONG * 4),
}


def test_a_reply_of_another_form_is_no_answer(
    client: Client, env: dict[str, str], place: Path
) -> None:
    said = asked_about(client, env, place, list(WRONG.values()))
    for kind, told in zip(WRONG, said, strict=True):
        assert told == BY_ITSELF, kind


def test_an_agent_that_is_killed_in_the_middle_of_a_reply_costs_nothing(
    client: Client, env: dict[str, str], place: Path
) -> None:
    with false_agent(place, uid=0, reply=ok(CREDENTIAL), count=10) as sent:
        said = client.ask("get", stdin=b"reg.example", env=env | {"PULLPASS_AGENT": str(place)})
    assert sent == [b"b'get 11\\nreg.example'"]
    assert (said.status, said.stderr) == (0, b"")
    assert read_token(json.loads(said.stdout)["Secret"]).claims["aud"] == "reg.example"


def test_a_server_of_another_user_is_told_nothing(
    client: Client, env: dict[str, str], place: Path
) -> None:
    with false_agent(place, uid=NOBODY, reply=ok(CREDENTIAL), count=1 << 20) as sent:
        env = env | {"PULLPASS_AGENT": str(place)}
        assert client.ask("get", stdin=b"other.example", env=env) == BY_ITSELF
    assert set(sent) <= {b"b''"}


@pytest.mark.parametrize("kind", ["nothing", "a file", "a folder", "left behind", "a long name"])
def test_a_place_where_nobody_listens_is_no_failure(
    client: Client, env: dict[str, str], place: Path, kind: str
) -> None:
    if kind == "a file":
        place.write_text("")
    if kind == "a folder":
        place.mkdir()
    if kind == "left behind":
        with false_agent(place, uid=0, reply=b"", count=0):
            pass
        assert place.is_socket()
    if kind == "a long name":
        place = place.with_name("a" * 200)
    env = env | {"PULLPASS_AGENT": str(place)}
    assert client.ask("get", stdin=b"other.example", env=env) == BY_ITSELF


def test_a_full_program_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    build(tmp_path, "/not/there", "-I")
    sentence = b"the full program cannot be started: install pullpass again\n"
    for kind in ("c", "python"):
        said = Client(tmp_path / kind / PROGRAM).ask("get", env={})
        assert said == Told(1, sentence, f"{PROGRAM}: ".encode() + sentence), kind
