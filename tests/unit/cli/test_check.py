"""``pullpass check`` on a host whose only way out is a proxy where nobody listens."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from fakes.node import Node

REGISTRY = "registry.example.com"
UNUSABLE = """
[registry."registry.example.com"]
provider = "nobody"
[[registry."registry.example.com".credential]]
identity = "github-actions"
"""


@pytest.fixture
def proxy() -> Iterator[str]:
    """The address of nobody."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def behind(ready: Node, proxy: str) -> Node:
    """A host that reaches others through the proxy."""
    ready.environment.delenv("SSL_CERT_FILE", raising=False)
    ready.environment.setenv("HOME", str(ready.directory))
    ready.configure(f'[http]\nproxy = "{proxy}"\nno_proxy = [".example.org", "10.0.0.0/8"]\n')
    return ready


def found(node: Node, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    outcome = node.pullpass("check", "--json", *arguments)
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    return outcome.status, {line["link"]: line for line in lines}


def test_the_way_to_others_is_told_and_blamed(behind: Node, proxy: str) -> None:
    status, links = found(behind, f"{REGISTRY}/team/app")

    assert links["network"]["saw"] == (
        f"https through the proxy {proxy}, but for .example.org, 10.0.0.0/8;"
        " authorities: the host's own"
    )
    assert f"no answer through the proxy {proxy} (Connection" in links["registry"]["saw"]
    assert (status, links["registry"]["level"]) == (75, "error")
    assert links["clients"]["level"] == "warning"


def test_the_authorities_of_the_environment_are_told(behind: Node) -> None:
    behind.environment.setenv("SSL_CERT_FILE", "/etc/acme.pem")
    assert found(behind)[1]["network"]["saw"].endswith("authorities: /etc/acme.pem")


def test_no_proxy_is_told_too(ready: Node) -> None:
    for name in ("SSL_CERT_FILE", "HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"):
        ready.environment.delenv(name, raising=False)
    ready.configure(settings=UNUSABLE)
    assert found(ready)[1]["network"]["saw"] == "no proxy; authorities: the host's own"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ALL_PROXY", "socks5://me:hunter2@proxy.example", "ALL_PROXY: takes a proxy such as"),
        ("https_proxy", "http://me:hunter2@", "https_proxy: takes a proxy such as"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_all_that_is_found(
    ready: Node, variable: str, value: str, message: str
) -> None:
    ready.environment.setenv(variable, value)
    status, links = found(ready)
    assert (status, list(links)) == (78, ["configuration"])
    assert links["configuration"]["saw"].startswith(message)
    assert "hunter2" not in links["configuration"]["saw"]


def test_a_role_for_a_user_that_is_not_there_is_all_that_is_found(ready: Node) -> None:
    role = "[issuers.nodes.roles.strangers]\nallowed_audiences = ['registry.example.com']\n"
    ready.configure(f"{role}subject_template = 'pull'\nmint = [{{ user = 'nobody-we-know' }}]\n")
    status, links = found(ready)
    assert (status, list(links)) == (78, ["configuration"])
    assert "nobody-we-know is no user of this host" in links["configuration"]["saw"]


def test_people_see_each_registry_as_a_table_with_advice_below(behind: Node) -> None:
    outcome = behind.pullpass("check")

    lines = outcome.out.splitlines()
    assert lines[2:4] == ["", REGISTRY]
    assert [line[:2] for line in lines[4:6]] == ["! ", "  "]
    assert lines[5].startswith("                 → run pullpass docker configure registry.example")
    columns = {line[2:17].rstrip() for line in lines if line[:1] in "✓!✗-"} - {""}
    assert {"configuration", "network", "clients", "agent", "entry"} <= columns


@pytest.mark.parametrize("wrong", ["sub", "=a", ""])
def test_what_is_expected_has_a_name_and_a_pattern(ready: Node, wrong: str) -> None:
    outcome = ready.pullpass("check", "--expect", wrong)
    assert (outcome.status, outcome.out) == (64, "")
    assert "--expect takes CLAIM=PATTERN" in outcome.err
