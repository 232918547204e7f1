"""Who may ask the agent for what, and who may be one."""

import asyncio
import grp
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.agent import (
    READY,
    Agent,
    Exchange,
    agent_settings,
    exchange,
    started,
)
from fakes.helper import LOOPBACK, Node, node, registry
from fakes.programs import finished
from pullpass.agent.client import AgentClient
from pullpass.agent.protocol import Status
from pullpass.claims import read_token
from pullpass.errors import AgentUnavailable, CallerDenied, CredentialNotFound

GROUP: Final = "daemon"  # which every Unix has
ALICE, BOB = 4201, 4202  # users that this host has no names for, as every container host has
# Asks as another user: what follows the socket's path is written, what comes is printed.
ASK: Final = """
import os, socket, sys
uid, gid, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
os.setgroups([int(one) for one in sys.argv[4].split()])
os.setgid(gid)
os.setuid(uid)
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(20)
connection.connect(path)
connection.sendall(sys.stdin.buffer.read())
while chunk := connection.recv(65536):
    sys.stdout.buffer.write(chunk)
"""


def asked_by(uid: int, agent: Agent, verb: str, body: bytes, *, groups: str = "") -> bytes:
    """Returns what the agent says to user uid."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", ASK, str(uid), str(uid), str(agent.path), groups],
        input=b"%s %d\n%s" % (verb.encode(), len(body), body),
        capture_output=True,
        check=True,
        timeout=30,
    )
    return done.stdout


def wanted(registry: str = READY, **more: Any) -> bytes:
    return json.dumps({"registry": registry, **more}).encode()


def document(raw: bytes) -> Any:
    return json.loads(raw.partition(b"\n")[2])


def claims(secret: str) -> Mapping[str, Any]:
    return read_token(secret).claims


def test_a_user_who_is_not_allowed_is_told_so(host: Node) -> None:
    agent_settings(host, f"allow = [{{ uid = 0 }}, {{ uid = {ALICE} }}]")
    with started(host) as agent:
        assert asked_by(ALICE, agent, "get", READY.encode()).startswith(b"ok ")
        refused = asked_by(BOB, agent, "get", READY.encode())
        assert refused.startswith(b"error ")
        assert f"uid {BOB} may not ask this agent".encode() in refused
        assert asked_by(BOB, agent, "get", b"other.example") == b"self 0\n"
        assert document(asked_by(BOB, agent, "status", b""))["kind"] == "CallerDenied"


def test_a_supplementary_group_gives_a_right(host: Node) -> None:
    agent_settings(host, 'allow = [{ group = "daemon" }]')
    with started(host) as agent:
        assert host.directory.joinpath("run").stat().st_mode & 0o777 == 0o750
        assert agent.path.stat().st_mode & 0o777 == 0o660
        assert asked_by(ALICE, agent, "get", READY.encode(), groups="1 7").startswith(b"ok ")


def test_without_a_policy_nobody_else_reaches_the_socket(agent: Agent) -> None:
    assert agent.path.parent.stat().st_mode & 0o777 == 0o700
    assert agent.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(subprocess.CalledProcessError) as refused:
        asked_by(ALICE, agent, "version", b"")
    assert b"PermissionError" in refused.value.stderr


def test_the_subject_names_whoever_asks(directory: Path) -> None:
    made = node(directory, registry(READY))
    made.config.write_text(
        made.config.read_text().replace('"registry-pull"', '"${unix.user}@${node}"')
    )
    daemon = pwd.getpwnam("daemon")
    agent_settings(made, f"allow = [{{ uid = 0 }}, {{ uid = {daemon.pw_uid} }}]")
    with started(made) as agent:
        secrets = [
            json.loads(agent.get(READY).body)["Secret"],
            document(asked_by(daemon.pw_uid, agent, "get", READY.encode()))["Secret"],
        ]
    node_name = os.uname().nodename
    assert [claims(one)["sub"] for one in secrets] == [f"root@{node_name}", f"daemon@{node_name}"]


def test_two_users_at_once_make_two_exchanges(directory: Path) -> None:
    with exchange(held=True) as jfrog:
        made = node(directory, jfrog.settings())
        agent_settings(made, f"allow = [{{ uid = {ALICE} }}, {{ uid = {BOB} }}, {{ uid = 0 }}]")
        with started(made) as agent:
            body = LOOPBACK.encode()
            argv = [sys.executable, "-I", "-c", ASK]
            waiting = [
                subprocess.Popen(
                    [*argv, str(uid), str(uid), str(agent.path), ""],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
                for uid in (ALICE, BOB, ALICE, BOB)
            ]
            for one in waiting:
                assert one.stdin
                one.stdin.write(b"get %d\n%s" % (len(body), body))
                one.stdin.close()
                one.stdin = None
            agent.until(lambda: agent.counted("shared") == 2 and len(jfrog.seen) == 2)
            jfrog.open.set()
            said = [one.communicate(timeout=30)[0] for one in waiting]
    assert len(jfrog.seen) == 2
    secrets = [document(one)["Secret"] for one in said]
    assert secrets[0] == secrets[2] != secrets[1] == secrets[3]


def test_pod_facts_come_from_the_shim_alone(directory: Path) -> None:
    made = node(directory, registry(READY))
    made.config.write_text(
        made.config.read_text().replace('"registry-pull"', '"${k8s.namespace}:${k8s.pod}"')
    )
    agent_settings(made, f"shim = {{ uid = {ALICE} }}")
    asked = wanted(facts={"k8s.namespace": "shop", "k8s.pod": "web"})
    with started(made) as agent:
        given = document(asked_by(ALICE, agent, "resolve", asked))
        assert claims(given["secret"])["sub"] == "shop:web"
        told = json.loads(agent.client.ask("resolve", asked).body)
        assert told["kind"] == "CallerDenied"
        assert "may not state facts about pods: only agent.shim may" in told["error"]
        with pytest.raises(CallerDenied):
            asyncio.run(agent.client.resolve(READY, facts={"k8s.pod": "web"}))
        unknown = document(asked_by(ALICE, agent, "resolve", wanted("other.example")))
        assert unknown["kind"] == CredentialNotFound.__name__


def test_a_registry_has_callers_of_its_own(directory: Path, jfrog: Exchange) -> None:
    made = node(directory, jfrog.settings(f"callers = [{{ uid = {ALICE} }}]"), registry(READY))
    agent_settings(made, f"allow = [{{ uid = 0 }}, {{ uid = {ALICE} }}]")
    with started(made) as agent:
        refused = agent.get().body.decode()
        assert refused.startswith(f"registry {LOOPBACK}: uid 0 may not have its credentials")
        assert agent.get(READY).status is Status.OK
        assert asked_by(ALICE, agent, "get", LOOPBACK.encode()).startswith(b"ok ")


def test_a_role_names_the_users_whom_it_gives_a_token(host: Node) -> None:
    subject = 'subject_template = "registry-pull"\n'
    named = f"mint = [{{ uid = {ALICE} }}, {{ group = {json.dumps(GROUP)} }}]\n"
    host.config.write_text(host.config.read_text().replace(subject, subject + named))
    agent_settings(host, f"allow = [{{ uid = {ALICE} }}, {{ uid = {BOB} }}]")
    with started(host) as agent:
        assert asked_by(ALICE, agent, "get", READY.encode()).startswith(b"ok ")
        gid = str(grp.getgrnam(GROUP).gr_gid)
        assert asked_by(BOB, agent, "get", READY.encode(), groups=gid).startswith(b"ok ")
        refused = asked_by(BOB, agent, "get", READY.encode())
        assert f"uid {BOB} may not mint: add it to its mint".encode() in refused
    lines = (host.directory / "state" / "audit.jsonl").read_text().splitlines()
    told = [(line["decision"], line["caller"]["uid"]) for line in map(json.loads, lines)]
    assert told == [("allow", ALICE), ("allow", BOB), ("deny", BOB)]
    by_hand = finished(
        ["pullpass", "mint", "--issuer", "nodes", "--role", "docker-pull", "--audience", READY],
        env=host.environment(),
    )
    assert (by_hand.returncode, by_hand.stdout) == (77, "")
    assert "uid 0 may not mint" in by_hand.stderr


def test_a_user_who_is_none_of_this_host_is_a_wrong_setting(host: Node) -> None:
    subject = 'subject_template = "registry-pull"\n'
    named = 'mint = [{ user = "nobody-of-that-name" }]\n'
    host.config.write_text(host.config.read_text().replace(subject, subject + named))
    said = host.get(READY)
    assert said.status == 1
    at = "issuers.nodes.roles.docker-pull.mint[0].user"
    assert f"{at}: nobody-of-that-name is no user of this host" in said.stdout


def test_an_agent_of_another_user_is_not_asked(agent: Agent) -> None:
    # As root we may connect to a socket that a user made: that server is not to be trusted.
    false = agent.node.directory / "false"
    listener = f"""
import os, socket, sys
os.setuid({ALICE})
server = socket.socket(socket.AF_UNIX)
server.bind({str(false)!r})
server.listen()
print("ready", flush=True)
connection, _ = server.accept()
print(connection.recv(100), flush=True)
"""
    agent.node.directory.chmod(0o777)
    with subprocess.Popen(
        [sys.executable, "-I", "-c", listener], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        assert server.stdout.readline() == "ready\n"
        with pytest.raises(AgentUnavailable, match="belongs to another user"):
            AgentClient(false, 10).ask("get", b"reg.example")
        assert server.stdout.readline() == "b''\n"
