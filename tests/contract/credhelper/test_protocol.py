"""The protocol of Docker's credential helpers, kept by the installed program.

The numbers are those of the suite for any helper, which is spread over this folder:

    1-5    usage, arguments, help            27-31  servers that are not ours
    6-8    version                           32-34  what is written where
    9-16   get of nothing and of strangers   35-44  store, erase and list
    17-26  every spelling of a server        45-50  surroundings, lifetime, deadline

48, many at once, and 51, speed, are asked elsewhere.
"""

import json
import re

import pytest

from fakes.helper import (
    NO_SERVER_URL,
    NOT_FOUND,
    PROGRAM,
    Node,
    Said,
    case,
    run_helper,
)

pytestmark = pytest.mark.usefixtures("program")
USAGE = f"Usage: {PROGRAM} <store|get|erase|list|version>\n"
NO_USERNAME = "no credentials username\n"
TOO_LONG = "stdin is longer than 65536 bytes: no request is so long\n"


def entry(**fields: str) -> bytes:
    # As Go's encoder writes it: these three escaped, a newline behind.
    text = json.dumps({"ServerURL": "reg.example", "Username": "me", "Secret": "s<&>"} | fields)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"{text}\n".encode()


@pytest.mark.parametrize(
    ("arguments", "status", "stdout"),
    [
        case(1, "no argument", [], 1, USAGE),
        case(2, "two arguments", ["get", "extra"], 1, USAGE),
        case(3, "-h", ["-h"], 0, USAGE),
        case(4, "--help", ["--help"], 0, USAGE),
        case(5, "another action", ["bogus"], 1, f"{PROGRAM}: unknown action: bogus\n"),
        case(5, "no word at all", [""], 1, f"{PROGRAM}: unknown action: \n"),
        case(5, "lines and escapes", ["a\n\x1b[31mb"], 1, f"{PROGRAM}: unknown action: a[31mb\n"),
    ],
)
def test_what_is_no_action_gets_the_usage(arguments: list[str], status: int, stdout: str) -> None:
    assert run_helper(*arguments) == Said(status, stdout, "")


@pytest.mark.parametrize(
    "argument",
    [
        case(6, "version", "version"),
        case(7, "-v", "-v"),
        case(8, "--version", "--version"),
    ],
)
def test_the_version_is_one_line_of_name_package_and_version(argument: str) -> None:
    said = run_helper(argument)
    assert said.status == 0
    assert not said.stderr
    assert re.fullmatch(rf"{PROGRAM} \(\S+\) v\d+\.\d+\S*\n", said.stdout, re.ASCII)


@pytest.mark.parametrize(
    ("stdin", "stdout"),
    [
        case(9, "empty", b"", NO_SERVER_URL),
        case(10, "a line feed", b"\n", NO_SERVER_URL),
        case(11, "an end of line", b"\r\n", NO_SERVER_URL),
        case(12, "spaces", b" \t  ", NO_SERVER_URL),
        case(13, "a stranger", b"other.example", NOT_FOUND),
        case(14, "a stranger and a line feed", b"other.example\n", NOT_FOUND),
        case(14, "a stranger and an end of line", b"other.example\r\n", NOT_FOUND),
        case(15, "not UTF-8", b"\xff\xfe reg.example", NOT_FOUND),
        case(15, "bytes of all kinds", bytes(range(256)), NOT_FOUND),
        case(15, "JSON", b'{"ServerURL": "reg.example"}', NOT_FOUND),
        case(16, "70 KiB", b"a" * 70 * 1024, TOO_LONG),
        case(16, "1 MiB", b"a" * 1024 * 1024, TOO_LONG),
        case(16, "the longest", b"a" * 64 * 1024, NOT_FOUND),
    ],
)
def test_a_get_of_nothing_or_of_a_stranger_is_one_line(
    helper: Node, stdin: bytes, stdout: str
) -> None:
    said = helper.ask("get", stdin)
    # A stranger is no failure: the person at the terminal need not hear of it.
    hint = "" if stdout == NOT_FOUND else f"{PROGRAM}: {stdout}"
    assert said == Said(1, stdout, hint)


@pytest.mark.parametrize(
    ("action", "stdin", "stdout"),
    [
        case(35, "an entry", "store", entry(), ""),
        case(35, "a stranger's entry", "store", entry(ServerURL="https://other.example/v2/"), ""),
        case(35, "no secret", "store", entry(Secret=""), ""),
        case(36, "an identity token", "store", entry(Username="<token>"), ""),
        case(39, "a registry of ours", "erase", b"reg.example", ""),
        case(40, "a stranger", "erase", b"https://other.example\n", ""),
        case(40, "no server at all", "erase", b"\xff", ""),
    ],
)
def test_store_and_erase_succeed_in_silence(
    helper: Node, action: str, stdin: bytes, stdout: str
) -> None:
    before = sorted(helper.directory.rglob("*"))
    assert helper.ask(action, stdin) == Said(0, stdout, "")
    assert sorted(helper.directory.rglob("*")) == before


@pytest.mark.parametrize(
    ("action", "stdin", "stdout"),
    [
        case(37, "no entry", "store", b"", "store takes a JSON object"),
        case(37, "not JSON", "store", b"junk", "store takes a JSON object"),
        case(37, "not an object", "store", b"[1]", "store takes a JSON object"),
        case(37, "1 MiB", "store", b"[" * 1024 * 1024, TOO_LONG),
        case(38, "no server URL", "store", entry(ServerURL=""), NO_SERVER_URL),
        case(38, "no user name", "store", entry(Username=""), NO_USERNAME),
        case(41, "nothing", "erase", b"", NO_SERVER_URL),
        case(41, "an end of line", "erase", b"\r\n", NO_SERVER_URL),
    ],
)
def test_store_and_erase_refuse_what_is_no_request(
    helper: Node, action: str, stdin: bytes, stdout: str
) -> None:
    said = helper.ask(action, stdin)
    assert said.status == 1
    assert said.stdout.startswith(stdout)
    assert said.stdout.count("\n") == 1
    assert said.stderr == f"{PROGRAM}: {said.stdout}"


def test_what_was_stored_is_not_given_back(helper: Node) -> None:
    helper.ask("store", entry(ServerURL="other.example"))
    assert helper.get("other.example") == Said(1, NOT_FOUND, "")


@pytest.mark.parametrize(
    "stdin", [case(42, "the word of Docker's client", b"unused"), case(43, "nothing", b"")]
)
def test_a_list_names_bare_hosts(helper: Node, stdin: bytes) -> None:
    said = helper.ask("list", stdin)
    assert said.status == 0
    assert not said.stderr
    listed = json.loads(said.stdout)
    assert listed.keys() == {"reg.example", "docker.io", "127.0.0.1:5000"}
    assert all(isinstance(user, str) and user for user in listed.values())


def test_each_host_of_a_list_can_be_had(helper: Node) -> None:
    """Case 42."""
    listed = json.loads(helper.ask("list", b"unused").stdout)
    assert [helper.get(host).status for host in listed] == [0, 0, 0]
