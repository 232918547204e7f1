"""The demo's settings, wherever they are kept."""

import json
from pathlib import Path

import pytest

from pullpass.config.model import OwnIssuer
from pullpass.demo.settings import REPOSITORY, Addresses, Files, draw_addresses
from pullpass.resolve.choose import Query
from pullpass.resolve.flow import plan

ADDRESSES = Addresses(issuer_port=20001, token_port=20002, registry_port=20003)


@pytest.fixture(params=["plain", """it's a "quoted" \\ directory""", "Ünï 🐋"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    directory = tmp_path / request.param
    directory.mkdir()
    made = Files(directory=directory, addresses=ADDRESSES)
    made.write()
    return made


def test_three_ports_are_drawn_and_all_differ() -> None:
    drawn = draw_addresses()
    ports = {drawn.issuer_port, drawn.token_port, drawn.registry_port}
    assert len(ports) == 3
    assert all(1024 < port < 32768 for port in ports)


def test_the_host_that_pulls_knows_no_key_of_the_token_server(files: Files) -> None:
    node, server = files.load(files.node), files.load(files.token_server)
    assert (set(node.keys), set(server.keys)) == ({"identity"}, {"registry-token", "exchange"})
    assert node.state_dir == files.directory / "node"
    assert server.state_dir == files.directory / "token-server"


@pytest.mark.parametrize(("config", "role"), [("node", "docker-pull"), ("publisher", "publisher")])
def test_the_two_identities_differ_in_their_role_alone(
    files: Files, config: str, role: str
) -> None:
    query = Query(registry="127.0.0.1:20003", repository=REPOSITORY, plaintext=True)
    chosen = plan(files.load(getattr(files, config)), query)
    assert chosen.entry.source == OwnIssuer(issuer="demo", role=role)
    assert chosen.audience == "127.0.0.1:20003"
    assert chosen.registry.exchange == ADDRESSES.token_server


def test_the_token_server_trusts_what_the_host_mints(files: Files) -> None:
    node, server = files.load(files.node), files.load(files.token_server)
    issuer, connection = node.issuers["demo"], server.connections["demo"]
    assert connection.issuer == issuer.issuer == ADDRESSES.issuer
    assert connection.audiences == (ADDRESSES.registry,)
    subjects = {role.subject_template for role in issuer.roles.values()}
    assert subjects == {subject for one in connection.rulesets for subject in one.subject}


def test_docker_asks_our_helper_for_the_demo_s_registry_alone(files: Files) -> None:
    written = json.loads((files.home / ".docker" / "config.json").read_text())
    assert written == {"credHelpers": {ADDRESSES.registry: "pullpass"}}


def test_both_registries_are_told_to_trust_the_token_server(files: Files) -> None:
    real = files.write_registry().read_text()
    auth = json.loads(files.embedded_registry())["auth"]
    assert auth["realm"] == f"{ADDRESSES.token_server}/token"
    assert auth["issuer"] == ADDRESSES.token_server
    assert auth["service"] == ADDRESSES.registry
    assert auth["certificates"] == str(files.certificate)
    for value in (auth["realm"], auth["issuer"], auth["service"]):
        assert f'"{value}"' in real
    assert json.dumps(str(files.certificate), ensure_ascii=False) in real


def test_programs_get_nothing_of_the_caller_but_what_they_cannot_do_without(files: Files) -> None:
    given = files.environment(files.node, EXTRA="1")
    assert given["PULLPASS_CONFIG"] == str(files.node)
    assert given["HOME"] == str(files.home)
    assert given["EXTRA"] == "1"
    kept = {"PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG", "COVERAGE_PROCESS_CONFIG"}
    assert given.keys() <= kept | {"PULLPASS_CONFIG", "HOME", "EXTRA"}
