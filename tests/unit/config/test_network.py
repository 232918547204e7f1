"""``[http]`` and the variables that speak where it is silent."""

from pathlib import Path
from typing import Any

import pytest

from fakes.settings import changed, refusal_of
from pullpass.config.model import Config, Http
from pullpass.config.network import network_of
from pullpass.config.parse import parse
from pullpass.errors import ConfigError
from pullpass.network import Network, Proxy, parse_proxy

STATED = {
    "proxy": "http://proxy.example:3128",
    "no_proxy": [".example.org", "10.0.0.0/8"],
    "ca_bundle": "/etc/pullpass/ca.pem",
    "connect_timeout": "3s",
    "timeout": "15s",
}
VARIABLES = {
    "HTTPS_PROXY": "http://other.example:8080",
    "NO_PROXY": "a.example, b.example c.example",
}


def read(**http: Any) -> Config:
    return parse(changed((("http",), http)), Path("/var/lib/pullpass"))


def test_nothing_needs_to_be_said() -> None:
    assert read().http == Http()
    assert network_of(read(), {}) == Network()


def test_all_can_be_said_and_beats_the_environment() -> None:
    assert network_of(read(**STATED), VARIABLES) == Network(
        proxy=Proxy(origin="http://proxy.example:3128"),
        no_proxy=(".example.org", "10.0.0.0/8"),
        ca_bundle=Path("/etc/pullpass/ca.pem"),
        connect_timeout=3,
        timeout=15,
    )


def test_the_environment_speaks_where_the_settings_are_silent() -> None:
    assert network_of(read(), VARIABLES) == Network(
        proxy=Proxy(origin="http://other.example:8080"),
        no_proxy=("a.example", "b.example", "c.example"),
    )


def test_each_setting_beats_its_own_variable_alone() -> None:
    network = network_of(read(no_proxy=["*"]), VARIABLES)
    assert network.proxy == Proxy(origin="http://other.example:8080")
    assert network.no_proxy == ("*",)


def test_an_empty_list_lets_nothing_around_the_proxy() -> None:
    assert network_of(read(no_proxy=[]), VARIABLES).no_proxy == ()


def test_a_program_waits_as_long_as_it_likes_unless_the_settings_say_otherwise() -> None:
    assert network_of(read(), {}, timeout=4).timeout == 4
    assert network_of(read(timeout="2s"), {}, timeout=4).timeout == 2


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"https_proxy": "one.example", "HTTPS_PROXY": "two.example"}, "one.example"),
        ({"HTTPS_PROXY": "two.example", "all_proxy": "three.example"}, "two.example"),
        ({"all_proxy": "three.example", "ALL_PROXY": "four.example"}, "three.example"),
        ({"ALL_PROXY": "four.example"}, "four.example"),
        ({"https_proxy": "", "HTTPS_PROXY": "two.example"}, "two.example"),
        ({"HTTPS_PROXY": "two.example", "ALL_PROXY": "socks5://five.example"}, "two.example"),
    ],
)
def test_the_first_variable_that_says_anything_is_taken(
    variables: dict[str, str], expected: str
) -> None:
    assert network_of(read(), variables).proxy == parse_proxy(expected)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_the_proxy_for_plain_http_is_nobodys(name: str) -> None:
    assert network_of(read(), {name: "http://proxy.example:3128"}).proxy is None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value", ["socks5://user:hunter2@proxy.example:1080", "http://user:hunter2@[::1"]
)
def test_a_variable_that_names_no_proxy_is_a_wrong_setting(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        network_of(read(), {name: value})
    assert refusal_of(refused.value) == (
        f"{name}: takes a proxy such as http://host:port; pullpass speaks no SOCKS"
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("proxy", "socks5://hunter2@proxy.example", "takes a proxy such as http://host:port"),
        ("proxy", "", "is empty"),
        ("proxy", "http://user:hunter2@proxy.example", "holds a password"),
        ("no_proxy", "*", "takes a list"),
        ("no_proxy", [""], "takes a list of texts"),
        ("ca_bundle", "ca.pem", "takes a path from the root"),
        ("timeout", 10, "takes text"),
        ("timeout", "0s", "takes a duration"),
        ("timeout", "21s", "is longer than 20s"),
        ("connect_timeout", "1h", "is longer than 20s"),
        ("verify", False, "is not a setting"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(name: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(**{name: value})
    assert refusal_of(refused.value).startswith(f"http.{name}: {message}")
    assert "hunter2" not in str(refused.value)
