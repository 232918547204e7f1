"""What the running agent answers to each verb."""

import asyncio
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fakes.agent import (
    READY,
    Agent,
    Exchange,
    agent_settings,
    exchange,
    started,
)
from fakes.helper import LOOPBACK, node, registry, run_helper
from fakes.programs import environment
from pullpass.agent.protocol import Reply, Status
from pullpass.claims import read_token
from pullpass.errors import AgentUnavailable


def wanted(registry: str = READY, **more: Any) -> bytes:
    return json.dumps({"registry": registry, **more}).encode()


def claims(secret: str) -> Mapping[str, Any]:
    return read_token(secret).claims


def test_get_answers_what_the_helper_prints(resident: Agent) -> None:
    reply = resident.get(f"https://{READY}/v2/")
    alone = run_helper(
        "get", stdin=f"https://{READY}/v2/".encode(), env=resident.node.environment()
    )
    assert reply.status is Status.OK
    assert reply.body.endswith(b"\n")
    ours, theirs = json.loads(reply.body), json.loads(alone.stdout)
    times = {"iat", "nbf", "exp", "jti"}
    assert ours | {"Secret": ""} == theirs | {"Secret": ""}
    said = [claims(one["Secret"]) for one in (ours, theirs)]
    assert {k: v for k, v in said[0].items() if k not in times} == {
        k: v for k, v in said[1].items() if k not in times
    }


def test_get_exchanges(agent: Agent) -> None:
    assert json.loads(agent.get().body)["Username"] == "puller"


def test_version_is_the_helpers(resident: Agent) -> None:
    assert resident.client.ask("version").body.decode() == run_helper("version").stdout


@pytest.mark.parametrize(
    "server_url", ["other.example", f"{READY}:5000", f"{READY}:443", "docker.io", "https://x/v2/"]
)
def test_what_the_agent_does_not_know_is_left_to_whoever_asks(
    resident: Agent, server_url: str
) -> None:
    assert resident.get(server_url) == Reply(status=Status.SELF)


def test_a_list_is_left_to_whoever_asks(resident: Agent) -> None:
    assert resident.client.ask("list") == Reply(status=Status.SELF)


@pytest.mark.parametrize(
    ("verb", "body", "line"),
    [
        ("get", b"", b"no credentials server URL\n"),
        ("get", b" \r\n", b"no credentials server URL\n"),
        ("get", b"https://user@host", b"credentials not found in native keychain\n"),
        ("get", b"\xff\x00", b"credentials not found in native keychain\n"),
        ("store", b"{}", b"the agent does not know store: it takes "),
        ("erase", b"reg.example", b"the agent does not know erase: it takes "),
        ("nonsense", b"", b"the agent does not know nonsense: it takes "),
    ],
)
def test_an_error_is_one_line(resident: Agent, verb: str, body: bytes, line: bytes) -> None:
    reply = resident.client.ask(verb, body)
    assert reply.status is Status.ERROR
    assert reply.body.startswith(line)
    assert reply.body.index(b"\n") == len(reply.body) - 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"registry": 1}',
        b'{"registry": "https://reg.example"}',
        b'{"registry": "reg.example", "repository": "UPPER"}',
        b'{"registry": "reg.example", "facts": {"unix.user": "root"}}',
        b'{"registry": "reg.example", "facts": {"k8s.pod": 1}}',
        b'{"registry": "reg.example", "facts": []}',
        b'{"registry": "reg.example", "fresh": 1}',
        b'{"registry": "reg.example", "more": 1}',
        b"[" * 60_000,
        b"\xff",
    ],
)
def test_a_question_that_is_none_is_refused_with_a_sentence(resident: Agent, body: bytes) -> None:
    reply = resident.client.ask("resolve", body)
    assert reply.status is Status.ERROR
    told = json.loads(reply.body)
    assert (told["kind"], told["exit_status"]) == ("MalformedInput", 65)
    assert told["error"].startswith("resolve")


def test_resolve_gives_a_credential_and_its_times(resident: Agent) -> None:
    granted = asyncio.run(resident.client.resolve(READY, "team/app"))
    said = claims(granted.credential.secret.reveal())
    assert granted.minted_at == said["iat"]
    assert granted.credential.expires_at == said["exp"]
    assert not granted.reused


def test_resolve_leaves_what_the_agent_does_not_know_to_whoever_asks(resident: Agent) -> None:
    with pytest.raises(AgentUnavailable, match="leaves this to its caller"):
        asyncio.run(resident.client.resolve("other.example"))


def test_a_failure_is_told_as_it_would_be_here(directory: Path) -> None:
    with exchange() as jfrog:
        made = node(directory, jfrog.settings().replace("strongbox", "other"), audiences=("x",))
        agent_settings(made)
        with started(made) as agent:
            reply = agent.get()
            alone = made.get(LOOPBACK)
    assert (reply.status, reply.body.decode()) == (Status.ERROR, alone.stdout)
    assert alone.stdout.startswith(f"registry {LOOPBACK}: no identity")


def test_an_error_keeps_its_class_and_its_exit_status(directory: Path) -> None:
    settings = registry(LOOPBACK, "insecure = true", provider="rfc8693")
    made = node(directory, settings.replace("insecure = true", "insecure = true\nparameters = {}"))
    agent_settings(made)
    with started(made) as agent:
        reply = agent.client.ask("resolve", wanted(LOOPBACK))
    told = json.loads(reply.body)
    assert (told["kind"], told["exit_status"]) == ("ConfigError", 78)


def test_status_says_how_the_agent_is_and_no_secret(agent: Agent) -> None:
    secret = json.loads(agent.get(READY).body)["Secret"]
    found = agent.status()
    assert found["pid"] == agent.process.popen.pid
    assert found["sources"] == [str(agent.node.config)]
    assert found["counters"]["requests"]["get ok"] == 1
    assert secret not in json.dumps(found)


def test_the_command_shows_the_status(resident: Agent) -> None:
    argv = ["pullpass", "agent", "status", "--socket", str(resident.path)]
    done = subprocess.run(
        argv, env=environment(), capture_output=True, check=True, text=True, timeout=30
    )
    assert str(resident.node.config) in done.stdout


def test_the_log_names_the_identity_by_its_fingerprint_and_holds_no_secret(
    agent: Agent, jfrog: Exchange
) -> None:
    secret = json.loads(agent.get().body)["Secret"]
    (record,) = agent.records("get")
    (shown,) = jfrog.seen
    assert record["jti"] == claims(shown)["jti"]
    assert len(record["token_sha256"]) == 64
    assert (record["uid"], record["registry"], record["reused"]) == (0, LOOPBACK, False)
    printed = agent.process.printed()
    assert secret not in printed
    assert shown not in printed
