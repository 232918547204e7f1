from pathlib import Path
from typing import Any

import pytest

from fakes.settings import REGISTRY, Place, changed, refusal_of
from pullpass.config.callers import Caller
from pullpass.config.model import Agent, Config
from pullpass.config.parse import parse
from pullpass.errors import ConfigError

CALLERS = [{"uid": 0}, {"user": "alice"}, {"group": "docker"}]
ENTRY = ("registry", REGISTRY)


def parsed(*changes: tuple[Place, Any]) -> Config:
    return parse(changed(*changes), Path("/nowhere"))


def test_without_a_word_the_agent_is_the_usual_one() -> None:
    assert parsed().agent == Agent()


def test_settings_of_the_agent_become_values() -> None:
    agent = parsed(
        (
            ("agent",),
            {
                "socket": "/run/other/agent.sock",
                "allow": CALLERS,
                "shim": {"user": "pullpass-cri"},
                "max_connections": 64,
                "metrics": "127.0.0.1:9464",
                "drain": "5s",
            },
        )
    ).agent
    assert agent == Agent(
        socket=Path("/run/other/agent.sock"),
        allow=(
            Caller(uid=0, key="agent.allow[0].uid"),
            Caller(user="alice", key="agent.allow[1].user"),
            Caller(group="docker", key="agent.allow[2].group"),
        ),
        shim=Caller(user="pullpass-cri", key="agent.shim.user"),
        max_connections=64,
        max_connections_per_user=32,
        metrics=("127.0.0.1", 9464),
        drain=5,
    )


def test_metrics_may_have_a_socket() -> None:
    agent = parsed((("agent", "metrics"), "/run/pullpass/metrics.sock")).agent
    assert agent.metrics == Path("/run/pullpass/metrics.sock")


def test_a_registry_names_its_callers() -> None:
    callers = parsed(((*ENTRY, "callers"), [{"group": "docker"}])).registries[REGISTRY].callers
    assert callers == (Caller(group="docker", key=f'registry."{REGISTRY}".callers[0].group'),)


def test_an_entrys_reuse_goes_before_its_registrys() -> None:
    first = {"repository": "*", "issuer": "nodes", "role": "docker-pull"}
    entries = [first, {**first, "repository": "team/*", "reuse": "1h"}]
    for registry, expected in (({}, [0, 3600]), ({"reuse": "10m"}, [600, 3600])):
        table = changed()["registry"][REGISTRY] | {"credential": entries} | registry
        found = parsed((ENTRY, table)).registries[REGISTRY].credentials
        assert [entry.reuse for entry in found] == expected


@pytest.mark.parametrize(
    ("place", "value", "key"),
    [
        (("agent", "nonsense"), 1, "agent.nonsense"),
        (("agent", "socket"), "agent.sock", "agent.socket"),
        (("agent", "socket"), "/" + "x" * 107, "agent.socket"),
        (("agent", "allow"), [], "agent.allow"),
        (("agent", "allow"), ["root"], "agent.allow"),
        (("agent", "allow"), [{}], "agent.allow[0].uid"),
        (("agent", "allow"), [{"uid": 0, "user": "root"}], "agent.allow[0].uid"),
        (("agent", "allow"), [{"uid": -1}], "agent.allow[0].uid"),
        (("agent", "allow"), [{"uid": (1 << 32) - 1}], "agent.allow[0].uid"),
        (("agent", "allow"), [{"uid": True}], "agent.allow[0].uid"),
        (("agent", "allow"), [{"uid": "0"}], "agent.allow[0].uid"),
        (("agent", "allow"), [{"user": ""}], "agent.allow[0].user"),
        (("agent", "allow"), [{"uid": 0, "gid": 0}], "agent.allow[0].gid"),
        (("agent", "shim"), {"group": "docker"}, "agent.shim"),
        (("agent", "shim"), [{"uid": 0}], "agent.shim"),
        (("agent", "max_connections"), 3, "agent.max_connections"),
        (("agent", "max_connections_per_user"), 513, "agent.max_connections_per_user"),
        (("agent", "metrics"), "0.0.0.0:9464", "agent.metrics"),
        (("agent", "metrics"), "9464", "agent.metrics"),
        (("agent", "metrics"), 9464, "agent.metrics"),
        ((*ENTRY, "callers"), [], f'registry."{REGISTRY}".callers'),
        ((*ENTRY, "reuse"), "ten minutes", f'registry."{REGISTRY}".reuse'),
        ((*ENTRY, "reuse"), 600, f'registry."{REGISTRY}".reuse'),
    ],
)
def test_a_wrong_setting_is_refused_by_its_dotted_name(place: Place, value: Any, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed((place, value))
    assert refused.value.key == key
    assert refusal_of(refused.value)
