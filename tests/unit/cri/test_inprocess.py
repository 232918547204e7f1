"""Credentials that the shim resolves by itself."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fakes.cri.bench import REGISTRY
from fakes.issuing import Keys, transit_key
from fakes.loop import in_a_loop, until
from pullpass.agent.counters import Counters
from pullpass.agent.granted import Granted
from pullpass.claims import read_token
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import (
    CredentialNotFound,
    ExchangeDenied,
    ExchangeUnavailable,
    IdentityError,
    TransportError,
)
from pullpass.http import Request, Response
from pullpass.issuer.mint import Minter
from pullpass_plugin.cri.inprocess import InProcess

TEAM_A = {"k8s.namespace": "team-a", "k8s.pod": "one"}
GOOD = b'{"access_token": "s3cret", "expires_in": 600, "username": "puller"}'


@dataclass(slots=True, eq=False)
class Exchange:
    """An exchange that gives answers one after the other, once its gate is open."""

    answers: list[Response | TransportError]
    requests: list[Request] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, request: Request) -> Response:
        """Returns the next answer, the last one ever after."""
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await self.gate.wait()
        if isinstance(answer, TransportError):
            raise answer
        return answer


@dataclass(slots=True, eq=False)
class Audit:
    """An audit in memory."""

    records: list[Mapping[str, Any]] = field(default_factory=list)

    def write(self, record: Mapping[str, Any]) -> None:
        """Keeps record."""
        self.records.append(record)


def configured(**changes: str) -> Config:
    role = {"allowed_audiences": [REGISTRY], "subject_template": "${k8s.namespace}"}
    issuer = {
        "issuer": "https://id.example.com/nodes",
        "signing_key": "identity",
        "roles": {"pull": role},
    }
    registry = {
        "provider": "jfrog",
        "parameters": {"provider_name": "strongbox"},
        "credential": [{"repository": "team/*", "issuer": "nodes", "role": "pull"}],
        **changes,
    }
    settings = {
        "keys": {"identity": {}},
        "issuers": {"nodes": issuer},
        "registry": {REGISTRY: registry},
    }
    return parse(settings, Path("/nowhere"))


@dataclass(slots=True, eq=False)
class Node:
    """A shim's credentials, and what is around them."""

    exchange: Exchange
    audit: Audit
    source: InProcess
    counters: Counters

    async def waits(self, number: int) -> None:
        """Waits until so many wait for the exchange."""
        await until(lambda: self.counters.exchanges + self.counters.shared >= number)


def node(*answers: Response | TransportError, opened: bool = True, **changes: str) -> Node:
    config, audit = configured(**changes), Audit()
    exchange = Exchange(list(answers) or [Response(status=200, body=GOOD)])
    if opened:
        exchange.gate.set()
    minter = Minter(
        issuers=config.issuers, keys=Keys({"identity": transit_key("identity")}), audit=audit
    )
    counters = Counters()
    return Node(exchange, audit, InProcess(config, minter, exchange, counters), counters)


def ask(made: Node, facts: Mapping[str, str]) -> asyncio.Task[Granted]:
    """Starts to ask with facts."""
    return asyncio.create_task(made.source.credential(REGISTRY, "team/app", facts, fresh=False))


async def several(made: Node, *facts: Mapping[str, str]) -> list[str]:
    """Asks with each of facts at once, and opens the exchange when all wait."""
    waiting = [ask(made, one) for one in facts]
    await made.waits(len(facts))
    made.exchange.gate.set()
    return [found.credential.secret.reveal() for found in await asyncio.gather(*waiting)]


@in_a_loop
async def test_a_credential_is_made_for_the_pull() -> None:
    made = node()

    found = await made.source.credential(REGISTRY, "team/app", TEAM_A, fresh=False)

    assert (found.credential.username, found.credential.secret.reveal()) == ("puller", "s3cret")
    assert not found.reused
    assert made.audit.records[0]["sub"] == "team-a"


@in_a_loop
async def test_16_pulls_at_once_share_one_exchange() -> None:
    made = node(opened=False)

    assert await several(made, *[TEAM_A] * 16) == ["s3cret"] * 16

    assert len(made.exchange.requests) == 1


@in_a_loop
async def test_two_pods_never_share_one() -> None:
    made = node(opened=False)

    await several(made, TEAM_A, {**TEAM_A, "k8s.pod": "two"}, {"k8s.namespace": "team-b"})

    subjects = [record["sub"] for record in made.audit.records]
    assert sorted(subjects) == ["team-a", "team-a", "team-b"]


@in_a_loop
async def test_a_credential_is_given_again_where_the_settings_say_so() -> None:
    """Until a fresh one is wanted."""
    made = node(reuse="10m")
    reused = [
        (await made.source.credential(REGISTRY, "team/app", TEAM_A, fresh=fresh)).reused
        for fresh in (False, False, True, False)
    ]

    assert reused == [False, True, False, True]
    assert len(made.exchange.requests) == 2


@in_a_loop
async def test_a_pull_that_gives_up_leaves_the_exchange_to_the_others() -> None:
    made = node(opened=False)
    first, second = ask(made, TEAM_A), ask(made, TEAM_A)
    await made.waits(2)
    first.cancel()
    made.exchange.gate.set()

    assert not (await second).reused
    assert first.cancelled()
    assert len(made.exchange.requests) == 1


@in_a_loop
async def test_nothing_is_kept_for_a_later_pull() -> None:
    made = node()
    for _ in range(2):
        await made.source.credential(REGISTRY, "team/app", TEAM_A, fresh=False)

    assert len(made.exchange.requests) == 2
    tokens = {record["jti"] for record in made.audit.records}
    assert len(tokens) == 2


@in_a_loop
async def test_no_answer_is_asked_for_once_more_with_a_new_identity() -> None:
    made = node(TransportError("https://x: no answer"), Response(status=200, body=GOOD))

    await made.source.credential(REGISTRY, "team/app", TEAM_A, fresh=False)

    shown = [read_token(_identity(request)).claims["jti"] for request in made.exchange.requests]
    assert len(set(shown)) == 2


@pytest.mark.parametrize(
    ("answer", "error", "asked"),
    [
        (TransportError("https://x: no answer"), ExchangeUnavailable, 2),
        (Response(status=503), ExchangeUnavailable, 1),
        (Response(status=401), ExchangeDenied, 1),
    ],
)
@in_a_loop
async def test_an_answer_is_an_answer(
    answer: Response | TransportError, error: type[Exception], asked: int
) -> None:
    made = node(answer)

    with pytest.raises(error):
        await made.source.credential(REGISTRY, "team/app", TEAM_A, fresh=False)

    assert len(made.exchange.requests) == asked


@in_a_loop
async def test_a_fact_that_is_missing_mints_nothing_and_the_audit_knows() -> None:
    made = node()

    with pytest.raises(IdentityError, match=r"\$\{k8s\.namespace\}"):
        await made.source.credential(REGISTRY, "team/app", {}, fresh=False)

    assert [record["decision"] for record in made.audit.records] == ["deny"]


@in_a_loop
async def test_what_no_entry_speaks_of_is_not_ours() -> None:
    with pytest.raises(CredentialNotFound):
        await node().source.credential(REGISTRY, "other/app", TEAM_A, fresh=False)


def _identity(request: Request) -> str:
    found: str = json.loads(request.body)["subject_token"]
    return found
