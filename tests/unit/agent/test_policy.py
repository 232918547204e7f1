import os
from pathlib import Path
from typing import Any

import pytest

from fakes.settings import REGISTRY, changed, refusal_of
from pullpass.agent.peer import Peer
from pullpass.agent.policy import Policy, policy_of
from pullpass.config.model import Config, Registry
from pullpass.config.parse import parse
from pullpass.errors import CallerDenied, ConfigError

POD = {"k8s.namespace": "shop"}
SHIM = 991


def config(agent: dict[str, Any], **registry: Any) -> Config:
    changes = [(("registry", REGISTRY, name), value) for name, value in registry.items()]
    return parse(changed((("agent",), agent), *changes), Path("/nowhere"))


def policy(agent: dict[str, Any], **registry: Any) -> tuple[Policy, Registry]:
    made = config(agent, **registry)
    return policy_of(made), made.registries[REGISTRY]


def peer(uid: int, *gids: int) -> Peer:
    return Peer(uid=uid, gids=frozenset(gids), pid=1)


def lets(made: tuple[Policy, Registry], who: Peer, **facts: str) -> bool:
    rules, registry = made
    try:
        rules.check(who, registry, {name.replace("_", "."): value for name, value in facts.items()})
    except CallerDenied as error:
        assert refusal_of(error)
        return False
    return True


def test_by_default_root_and_the_agents_own_user_may_ask() -> None:
    made = policy({})
    assert lets(made, peer(0))
    assert lets(made, peer(os.geteuid()))
    assert not lets(made, peer(4242, 4242))


@pytest.mark.parametrize(
    ("allow", "who", "may"),
    [
        ([{"uid": 1000}], peer(1000), True),
        ([{"uid": 1000}], peer(1001), False),
        ([{"uid": 1000}], peer(0), False),
        ([{"uid": 1000}], peer(1, 1000), False),
        ([{"user": "daemon"}], peer(1), True),
        ([{"group": "daemon"}], peer(1000, 1000, 1), True),
        ([{"group": "daemon"}], peer(1, 7), False),
        ([{"uid": 1000}, {"group": "daemon"}], peer(1000), True),
        ([{"uid": 1000}, {"group": "daemon"}], peer(5, 1), True),
    ],
)
def test_uid_and_groups_decide(*, allow: list[dict[str, Any]], who: Peer, may: bool) -> None:
    assert lets(policy({"allow": allow}), who) is may


def test_a_registry_narrows_who_may_have_its_credentials() -> None:
    allow = [{"uid": 1000}, {"uid": 1001}]
    made = policy({"allow": allow}, callers=[{"uid": 1001}, {"uid": 1002}])
    assert [lets(made, peer(uid)) for uid in (1000, 1001, 1002)] == [False, True, False]


def test_the_shim_alone_states_facts_about_pods() -> None:
    made = policy({"shim": {"uid": SHIM}})
    assert lets(made, peer(SHIM), k8s_pod="web")
    assert lets(made, peer(SHIM))
    assert not lets(made, peer(0), k8s_pod="web")
    assert not lets(made, peer(1000, SHIM), k8s_pod="web")


def test_without_a_shim_nobody_states_facts_about_pods() -> None:
    assert not lets(policy({}), peer(0), k8s_pod="web")


def test_a_registry_may_shut_out_the_shim_too() -> None:
    made = policy({"shim": {"uid": SHIM}}, callers=[{"uid": 0}])
    assert not lets(made, peer(SHIM))


@pytest.mark.parametrize(
    ("agent", "key"),
    [
        ({"allow": [{"user": "no-such-user"}]}, "agent.allow[0].user"),
        ({"allow": [{"uid": 0}, {"group": "no-such-group"}]}, "agent.allow[1].group"),
        ({"shim": {"user": "no-such-user"}}, "agent.shim.user"),
        ({"allow": [{"user": "a\x00b"}]}, "agent.allow[0].user"),
    ],
)
def test_a_name_that_this_host_does_not_know_is_refused(agent: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        policy_of(config(agent))
    assert refused.value.key == key
    assert refusal_of(refused.value)
