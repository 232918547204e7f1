"""How long an answer is good, and how long it takes at worst: 49 and 50."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from fakes.deployment import Deployment, deployed
from fakes.endpoint import endless
from fakes.helper import LOOPBACK, PROGRAM, Node, Said, exchanging, node, run_helper
from fakes.programs import environment
from pullpass.claims import read_token

LONGEST = 25.0  # seconds, start and end of the program included
KEPT = 300  # seconds; buildkit keeps an answer almost as long
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DEAD = {
    "silent": (b"", b""),
    "a byte of a header at a time": (HEAD + b"X: ", b"x"),
    "a header at a time": (HEAD, b"X: y\r\n"),
    "a byte of a body at a time": (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "a body without an end": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("deployment")) as made:
        yield made


def test_a_credential_is_good_for_as_long_as_clients_keep_it(deployment: Deployment) -> None:
    """Case 49."""
    said = run_helper(
        "get", stdin=deployment.registry.encode(), env=environment(**deployment.environment())
    )
    assert (said.status, said.stderr) == (0, "")
    found = json.loads(said.stdout)
    assert found["ServerURL"] == deployment.registry
    assert found["Username"] == "puller"
    claims = read_token(found["Secret"]).claims
    assert claims["iss"] != deployment.issuer  # the token server's own, not what it was shown
    assert claims["exp"] - time.time() >= KEPT


def test_a_dead_exchange_is_given_up_in_time(tmp_path: Path) -> None:
    """Case 50."""
    with ExitStack() as stack:
        origins = [stack.enter_context(endless(*sent)) for sent in DEAD.values()]
        nodes = [node(tmp_path / str(at), exchanging(origin)) for at, origin in enumerate(origins)]
        timed = list(stack.enter_context(ThreadPoolExecutor(len(nodes))).map(_timed, nodes))
    for kind, (said, seconds) in zip(DEAD, timed, strict=True):
        assert seconds < LONGEST, kind
        assert said.status == 1, kind
        assert said.stdout.startswith(f"registry {LOOPBACK}: step token at "), kind
        assert "no answer in time" in said.stdout, kind
        assert said.stderr == f"{PROGRAM}: {said.stdout}", kind


def _timed(asked: Node) -> tuple[Said, float]:
    started = time.monotonic()
    said = asked.get(LOOPBACK)
    return said, time.monotonic() - started
