import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.issuing import Keys, Ledger, transit_key
from fakes.jfrog import JFrog
from fakes.loop import in_a_loop, until
from fakes.settings import ISSUER, REGISTRY, changed, role
from pullpass.agent.counters import Counters
from pullpass.agent.peer import Peer
from pullpass.agent.policy import policy_of
from pullpass.agent.question import Question
from pullpass.agent.resolver import Resolver
from pullpass.agent.reuse import Grant
from pullpass.agent.users import Users
from pullpass.claims import read_token
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import CallerDenied, CredentialNotFound, ExchangeUnavailable, IdentityError
from pullpass.http import Request, Response
from pullpass.issuer.mint import Minter
from pullpass.resolve.choose import Query

NOW: Final = 1_800_000_000.0
SHIM: Final = 991
ASKED: Final = Question(query=Query(registry=REGISTRY, repository="team/app"))
NO_POD: Final[Mapping[str, str]] = {}
BY_USER: Final = "${node}/${unix.user}"


@dataclass
class Platform:
    """JFrog on a line that is open, or held."""

    lifetime: int = 3600
    open: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[str] = field(default_factory=list)

    async def send(self, request: Request) -> Response:
        token = json.loads(request.body)["subject_token"]
        self.seen.append(read_token(token).text("sub"))
        mine = JFrog(
            origin="https://auth.example.com",
            issuer=ISSUER,
            audience=REGISTRY,
            subject=self.seen[-1],
            username=f"puller-{len(self.seen)}",
            lifetime=self.lifetime,
        )
        await self.open.wait()
        return mine.send(request)


@dataclass
class Host:
    """A host with an agent in this process, and a clock that stands."""

    template: str = "registry-pull"
    reuse: str = ""
    platform: Platform = field(default_factory=Platform)
    ledger: Ledger = field(default_factory=Ledger)
    counters: Counters = field(default_factory=Counters)
    time: float = NOW
    deadline: float = 20.0

    def __post_init__(self) -> None:
        config = self.config()
        self.resolver = Resolver(
            config=config,
            policy=policy_of(config),
            minter=Minter(
                issuers=config.issuers,
                keys=Keys({"identity": transit_key("identity")}),
                audit=self.ledger,
                now=lambda: self.time,
            ),
            transport=self.platform,
            counters=self.counters,
            now=lambda: self.time,
            deadline=self.deadline,
            users=Users(look_up=lambda uid: {"node": "worker-1", "unix.user": f"user-{uid}"}),
        )

    def config(self) -> Config:
        rules = {"allow": [{"uid": uid} for uid in (0, 1000, 1001)], "shim": {"uid": SHIM}}
        changes: list[Any] = [
            (("agent",), rules),
            (
                ("issuers", "nodes", "roles", "docker-pull"),
                role(subject_template=self.template),
            ),
        ]
        if self.reuse:
            changes.append((("registry", REGISTRY, "reuse"), self.reuse))
        return parse(changed(*changes), Path("/nowhere"))

    async def ask(
        self, uid: int = 1000, pod: Mapping[str, str] = NO_POD, *, fresh: bool = False
    ) -> Grant:
        facts = {f"k8s.{name}": value for name, value in pod.items()}
        question = Question(query=ASKED.query, pod=facts, fresh=fresh)
        return await self.resolver.resolve(question, Peer(uid=uid, gids=frozenset(), pid=1))

    def asks(self, uid: int = 1000, pod: Mapping[str, str] = NO_POD) -> "asyncio.Task[Grant]":
        return asyncio.create_task(self.ask(uid, pod))

    async def answer(self, *waiting: "asyncio.Task[Grant]", exchanges: int) -> list[str]:
        """Opens the line once all exchanges are on it, and returns whose name each was given."""
        counted = self.counters
        await until(lambda: counted.exchanges + counted.shared >= len(waiting))
        await until(lambda: len(self.platform.seen) == exchanges)
        self.platform.open.set()
        return [grant.credential.username for grant in await asyncio.gather(*waiting)]


@in_a_loop
async def test_fifty_questions_of_one_user_at_once_make_one_exchange() -> None:
    host = Host()
    names = await host.answer(*(host.asks() for _ in range(50)), exchanges=1)
    assert names == ["puller-1"] * 50
    assert len(host.ledger.records) == 1
    assert (host.counters.exchanges, host.counters.shared) == (1, 49)


@in_a_loop
async def test_two_users_never_share() -> None:
    host = Host()
    names = await host.answer(host.asks(1000), host.asks(1001), exchanges=2)
    assert len(set(names)) == 2


@pytest.mark.parametrize("name", ["namespace", "pod", "uid"])
@in_a_loop
async def test_two_pods_never_share(name: str) -> None:
    host = Host()
    pods = [{"namespace": "shop", "pod": "web", "uid": "1"} | {name: other} for other in "ab"]
    names = await host.answer(*(host.asks(SHIM, pod) for pod in pods), exchanges=2)
    assert len(set(names)) == 2


@in_a_loop
async def test_one_pod_shares_with_itself() -> None:
    host = Host()
    names = await host.answer(*(host.asks(SHIM, {"pod": "web"}) for _ in range(2)), exchanges=1)
    assert names == ["puller-1"] * 2


@in_a_loop
async def test_the_first_may_leave_and_the_others_are_answered() -> None:
    host = Host()
    waiting = [host.asks() for _ in range(3)]
    await until(lambda: host.counters.shared == 2)
    waiting.pop(0).cancel()
    await asyncio.sleep(0)
    assert await host.answer(*waiting, exchanges=1) == ["puller-1"] * 2


@in_a_loop
async def test_each_pull_has_an_identity_of_its_own_unless_reuse_says_otherwise() -> None:
    host = Host()
    host.platform.open.set()
    grants = [await host.ask() for _ in range(3)]
    assert [grant.credential.username for grant in grants] == ["puller-1", "puller-2", "puller-3"]
    assert len({grant.token_id for grant in grants}) == 3
    assert not any(grant.reused for grant in grants)


@in_a_loop
async def test_a_credential_is_given_again_while_reuse_lasts() -> None:
    host = Host(reuse="10m")
    host.platform.open.set()
    found = []
    for later in (0, 599, 600):
        host.time = NOW + later
        grant = await host.ask()
        found.append((grant.credential.username, grant.reused))
    assert found == [("puller-1", False), ("puller-1", True), ("puller-2", False)]
    assert host.counters.reused == 1


@in_a_loop
async def test_no_credential_is_given_again_in_its_last_five_minutes() -> None:
    host = Host(reuse="10m", platform=Platform(lifetime=420))
    host.platform.open.set()
    found = []
    for later in (0, 119, 121):
        host.time = NOW + later
        found.append((await host.ask()).credential.username)
    assert found == ["puller-1", "puller-1", "puller-2"]


@in_a_loop
async def test_nothing_is_reused_by_another_user_or_pod() -> None:
    host = Host(reuse="10m")
    host.platform.open.set()
    pods = [(1000, NO_POD), (1001, NO_POD), (SHIM, {"pod": "a"}), (SHIM, {"pod": "b"})]
    for uid, pod in pods:
        assert not (await host.ask(uid, pod)).reused
        assert (await host.ask(uid, pod)).reused


@in_a_loop
async def test_whoever_wants_a_fresh_one_gets_it_and_leaves_it_for_the_next() -> None:
    host = Host(reuse="10m")
    host.platform.open.set()
    await host.ask()
    fresh = await host.ask(fresh=True)
    again = await host.ask()
    assert (fresh.credential.username, fresh.reused) == ("puller-2", False)
    assert (again.credential.username, again.reused) == ("puller-2", True)


@in_a_loop
async def test_what_somebody_could_not_use_is_given_to_nobody_again() -> None:
    host = Host(reuse="10m")
    host.platform.open.set()
    await host.ask()
    host.platform.lifetime = 200  # good for one pull, and not to be kept
    await host.ask(fresh=True)
    assert (await host.ask()).credential.username == "puller-3"


@in_a_loop
async def test_the_subject_may_name_the_registry() -> None:
    host = Host(template="pull/${registry}")
    host.platform.open.set()
    await host.ask()
    assert host.platform.seen == [f"pull/{REGISTRY}"]


@in_a_loop
async def test_the_subject_names_the_user_who_asks_and_not_the_agents() -> None:
    host = Host(template=BY_USER)
    host.platform.open.set()
    await host.ask(1001)
    assert host.platform.seen == ["worker-1/user-1001"]


@in_a_loop
async def test_the_subject_may_name_the_shims_pod() -> None:
    host = Host(template="${k8s.namespace}:${k8s.pod}")
    host.platform.open.set()
    await host.ask(SHIM, {"namespace": "shop", "pod": "web"})
    assert host.platform.seen == ["shop:web"]


@in_a_loop
async def test_an_identity_that_cannot_be_had_leaves_its_line_in_the_audit() -> None:
    host = Host(template="${k8s.pod}")
    with pytest.raises(IdentityError, match=f"registry {REGISTRY}: no identity"):
        await host.ask()
    (record,) = host.ledger.records
    assert record["decision"] == "deny"
    assert host.platform.seen == []


@in_a_loop
async def test_who_may_not_ask_causes_nothing() -> None:
    host = Host()
    for uid, pod in ((4242, NO_POD), (1000, {"pod": "web"})):
        with pytest.raises(CallerDenied, match=f"uid {uid}"):
            await host.ask(uid, pod)
    assert (host.platform.seen, host.ledger.records) == ([], [])


@in_a_loop
async def test_another_registry_is_not_found() -> None:
    question = Question(query=Query(registry="other.example"))
    with pytest.raises(CredentialNotFound):
        await Host().resolver.resolve(question, Peer(uid=0, gids=frozenset(), pid=1))


@in_a_loop
async def test_an_exchange_that_does_not_answer_is_told_at_the_deadline() -> None:
    host = Host(deadline=0.05)
    with pytest.raises(ExchangeUnavailable, match=f"registry {REGISTRY}: .*try again"):
        await host.ask()
    host.platform.open.set()
    assert (await host.ask()).credential.username == "puller-2"
