"""Whom the program answers, and how: 17 to 34."""

import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from fakes.helper import ISSUER_URL, NOT_FOUND, PROGRAM, SUBJECT, Node, case, node, registry
from pullpass.claims import read_token

pytestmark = pytest.mark.usefixtures("program")
HUB = "https://index.docker.io/v1"


@pytest.mark.parametrize(
    ("server_url", "audience"),
    [
        case(17, "the host", "reg.example", "reg.example"),
        case(18, "the usual port", "reg.example:443", "reg.example"),
        case(19, "a URL", "https://reg.example", "reg.example"),
        case(19, "a URL with a slash", "https://reg.example/", "reg.example"),
        case(19, "a loud URL", "HTTPS://reg.example", "reg.example"),
        case(20, "a URL with the usual port", "https://reg.example:443", "reg.example"),
        case(21, "plain http to loopback", "http://127.0.0.1:5000", "127.0.0.1:5000"),
        case(22, "an endpoint", "https://reg.example/v2/", "reg.example"),
        case(22, "an old endpoint", "https://reg.example/v1/", "reg.example"),
        case(23, "a repository", "reg.example/team/app", "reg.example"),
        case(23, "a repository in a URL", "https://reg.example/team/app", "reg.example"),
        case(24, "Docker's name of Docker Hub", f"{HUB}/", "docker.io"),
        case(24, "its place for access tokens", f"{HUB}/access-token", "docker.io"),
        case(24, "its place for refresh tokens", f"{HUB}/refresh-token", "docker.io"),
        case(25, "Docker Hub", "docker.io", "docker.io"),
        case(25, "Docker Hub's index", "index.docker.io", "docker.io"),
        case(25, "Docker Hub's registry", "registry-1.docker.io", "docker.io"),
        case(25, "an image of Docker Hub", "docker.io/library/busybox", "docker.io"),
    ],
)
def test_every_spelling_of_a_server_gets_the_same_credential(
    helper: Node, server_url: str, audience: str
) -> None:
    found = json.loads(helper.get(server_url).stdout)
    claims = read_token(found["Secret"]).claims
    assert found["ServerURL"] == server_url
    assert found["Username"] == "token"
    assert (claims["iss"], claims["sub"], claims["aud"]) == (ISSUER_URL, SUBJECT, audience)


@pytest.mark.parametrize(
    "stdin",
    [
        case(26, "a line feed", b"reg.example\n"),
        case(26, "an end of line", b"reg.example\r\n"),
        case(26, "white space", b" \treg.example  "),
        case(26, "two lines, which are one", b"reg.\nexample"),
    ],
)
def test_white_space_is_no_part_of_a_server_and_is_not_given_back(
    helper: Node, stdin: bytes
) -> None:
    assert json.loads(helper.ask("get", stdin).stdout)["ServerURL"] == "reg.example"


def test_a_registry_with_port_443_in_the_settings_has_the_same_spellings(tmp_path: Path) -> None:
    """Case 18."""
    asked = node(tmp_path, registry("reg.example:443"))
    for server_url in ("reg.example", "reg.example:443", "https://reg.example/v2/"):
        secret = json.loads(asked.get(server_url).stdout)["Secret"]
        assert read_token(secret).claims["aud"] == "reg.example:443"


@pytest.mark.parametrize(
    "server_url",
    [
        case(28, "another port", "reg.example:5000"),
        case(28, "another port in a URL", "https://reg.example:80/v2/"),
        case(28, "no port", "127.0.0.1"),
        case(29, "a longer name", "reg.example.evil"),
        case(29, "a longer name in front", "evil.reg.example"),
        case(29, "a dot behind", "reg.example."),
        case(29, "other letters", "REG.EXAMPLE"),
        case(29, "letters that only look so", "reg.еxample"),
        case(30, "a path", "evil/reg.example"),
        case(30, "a path in a URL", "https://evil.example/reg.example"),
        case(30, "a query", "https://reg.example?x=/v2/"),
        case(30, "a fragment", "https://evil.example#reg.example"),
        case(31, "a user", "reg.example@evil"),
        case(31, "a user in a URL", "https://reg.example@evil.example/"),
        case(31, "a user of ours", "https://me:word@reg.example/"),
        case(31, "another scheme", "ftp://reg.example"),
        case(31, "no scheme", "://reg.example"),
        case(31, "a backslash", "https://reg.example\\@evil.example"),
    ],
)
def test_whoever_is_not_ours_gets_nothing(helper: Node, server_url: str) -> None:
    assert helper.get(server_url) == (1, NOT_FOUND, "")


@pytest.mark.parametrize("server_url", ["http://reg.example", "http://reg.example/v2/"])
def test_no_credential_travels_in_plain_http(helper: Node, server_url: str) -> None:
    """Case 27."""
    said = helper.get(server_url)
    assert said.status == 1
    assert said.stdout.startswith("registry reg.example: refused over plain http: use https")


def test_http_on_the_port_of_https_is_another_server(helper: Node) -> None:
    """Case 27."""
    assert helper.get("http://reg.example:443").status == 1


def test_a_credential_is_one_json_document_with_three_keys(helper: Node) -> None:
    """Case 32."""
    said = helper.get("reg.example")
    assert said.status == 0
    assert said.stdout.isascii()
    assert said.stdout.startswith("{")
    assert said.stdout.endswith("}\n")
    assert said.stdout.count("\n") == 1
    found = json.loads(said.stdout)
    assert list(found) == ["ServerURL", "Username", "Secret"]
    assert all(isinstance(value, str) and value for value in found.values())


def test_a_credential_is_a_user_and_a_password_that_basic_can_carry(helper: Node) -> None:
    """Case 32."""
    found = json.loads(helper.get("reg.example").stdout)
    assert found["Username"] != "<token>"
    header = b64encode(f"{found['Username']}:{found['Secret']}".encode())
    assert b64decode(header).decode().split(":") == [found["Username"], found["Secret"]]
    assert len(header) < 8 * 1024  # what servers take in a header


def test_a_success_leaves_stderr_empty(helper: Node) -> None:
    """Case 33."""
    assert not helper.get("reg.example").stderr


def test_each_answer_has_a_token_of_its_own(helper: Node) -> None:
    first, second = (json.loads(helper.get("reg.example").stdout)["Secret"] for _ in range(2))
    assert first != second


def test_a_failure_is_told_on_both_streams(tmp_path: Path) -> None:
    """Case 34."""
    said = node(tmp_path, registry("reg.example"), audiences=("other.example",)).get("reg.example")
    assert said.status == 1
    assert said.stdout.count("\n") == 1
    assert said.stderr == f"{PROGRAM}: {said.stdout}"
