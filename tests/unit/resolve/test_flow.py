import json
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.answers import Answers
from fakes.issuing import Keys, Ledger, transit_key
from fakes.jfrog import JFrog
from fakes.settings import ISSUER, REGISTRY, Place, changed, refusal_of, role, without
from pullpass.claims import read_token
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import (
    ConfigError,
    CredentialNotFound,
    ExchangeDenied,
    ExchangeUnavailable,
    IdentityError,
    TransportError,
    UsageError,
)
from pullpass.http import Response, Transport, run
from pullpass.identity.edge import LocalEdge
from pullpass.identity.token import SubjectToken
from pullpass.issuer.mint import Minter
from pullpass.resolve.choose import Query
from pullpass.resolve.flow import Resolved, plan, resolve

NOW: Final = 1_800_000_000.0
ENTRY: Final = ("registry", REGISTRY)
QUERY: Final = Query(registry=REGISTRY, repository="team/app")
BY_FACTS: Final = (
    ("issuers", "nodes", "roles", "docker-pull"),
    role(subject_template="${registry}/${node}"),
)


def config(*changes: tuple[Place, Any]) -> Config:
    return parse(changed(*changes), Path("/nowhere"))


def platform(**changes: Any) -> JFrog:
    usual = {"origin": "https://auth.example.com", "issuer": ISSUER, "audience": REGISTRY}
    return JFrog(**{**usual, **changes})


def minter(settings: Config, ledger: Ledger | None = None, keys: Keys | None = None) -> Minter:
    return Minter(
        issuers=settings.issuers,
        keys=keys or Keys({"identity": transit_key("identity")}),
        audit=ledger or Ledger(),
        now=lambda: NOW,
    )


def resolved(settings: Config, exchange: Transport, query: Query = QUERY) -> Resolved:
    return run(resolve(settings, minter(settings), query, {}, lambda: NOW), LocalEdge(exchange))


def identity_of(found: Resolved) -> SubjectToken:
    assert found.identity
    return found.identity


def test_a_query_becomes_a_credential_by_one_exchange() -> None:
    exchange = platform()
    found = resolved(config(), exchange)
    assert found.credential.username == "puller"
    assert found.credential.expires_at == NOW + exchange.lifetime
    assert found.entry.key == f'registry."{REGISTRY}".credential[0]'
    assert (found.audience, found.registry.address) == (REGISTRY, REGISTRY)
    (request,) = exchange.seen
    shown = json.loads(request.body)["subject_token"]
    assert shown == identity_of(found).token.reveal()
    assert read_token(shown).claims == identity_of(found).said.claims
    assert identity_of(found).said.claims["aud"] == REGISTRY


def test_what_was_resolved_prints_no_secret() -> None:
    found = resolved(config(), platform())
    assert found.credential.secret.reveal() not in repr(found)
    assert identity_of(found).token.reveal() not in repr(found)


def test_the_registry_is_a_fact_that_nobody_may_claim() -> None:
    settings = config(BY_FACTS)
    exchange = platform(subject=f"{REGISTRY}/worker-1")
    claimed = Query(registry=REGISTRY, facts={"node": "worker-1", "registry": "evil.org"})
    assert identity_of(resolved(settings, exchange, claimed)).said.claims["sub"] == exchange.subject


def test_the_audience_is_the_registry_as_it_is_configured() -> None:
    found = resolved(config(), platform(), Query(registry=f"{REGISTRY}:443"))
    assert identity_of(found).said.claims["aud"] == REGISTRY


def test_a_provider_without_a_step_asks_nobody() -> None:
    changes = [((*ENTRY, "provider"), "passthrough"), ((*ENTRY, "parameters"), {})]
    found = resolved(config(*changes), Answers(answers=()))
    assert found.credential.secret == identity_of(found).token
    assert found.credential.expires_at == NOW + 300


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ([("provider", "floppy")], "provider", "floppy is no provider: use .*jfrog"),
        ([("parameters", {})], "parameters.provider_name", "is missing and jfrog needs it"),
        ([("parameters", {"nonsense": "a"})], "parameters.nonsense", "unknown; jfrog knows"),
    ],
)
def test_an_entry_that_cannot_work_is_refused_before_anything_is_minted(
    changes: list[tuple[str, Any]], key: str, message: str
) -> None:
    settings = config(*(((*ENTRY, name), value) for name, value in changes))
    ledger, exchange = Ledger(), platform()
    with pytest.raises(ConfigError, match=message) as refused:
        run(resolve(settings, minter(settings, ledger), QUERY, {}), LocalEdge(exchange))
    assert refused.value.key == f'registry."{REGISTRY}".{key}'
    assert refusal_of(refused.value)
    assert (ledger.records, exchange.seen) == ([], [])


def test_a_wrong_parameter_is_named_as_the_registry_is_written() -> None:
    table = changed()["registry"][REGISTRY] | {"parameters": {"nonsense": "a"}}
    settings = config((("registry", "index.docker.io"), table))
    with pytest.raises(ConfigError, match="unknown") as refused:
        plan(settings, Query(registry="docker.io"))
    assert refused.value.key == 'registry."index.docker.io".parameters.nonsense'


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (Query(registry="evil.org"), CredentialNotFound),
        (Query(registry=f"{REGISTRY}:5000"), CredentialNotFound),
        (Query(registry=REGISTRY, plaintext=True), UsageError),
    ],
)
def test_nothing_is_minted_for_what_is_not_ours(query: Query, error: type[Exception]) -> None:
    settings = config()
    ledger, exchange = Ledger(), platform()
    with pytest.raises(error):
        run(resolve(settings, minter(settings, ledger), query, {}), LocalEdge(exchange))
    assert (ledger.records, exchange.seen) == ([], [])


@pytest.mark.parametrize(
    ("keys", "ledger", "changes", "reason"),
    [
        (Keys(), Ledger(), [], "there is no key identity"),
        (None, Ledger(room=0), [], "the ledger is full"),
        (None, Ledger(), [BY_FACTS], "${node}"),
    ],
)
def test_nobody_is_asked_without_an_identity(
    keys: Keys | None, ledger: Ledger, changes: list[tuple[Place, Any]], reason: str
) -> None:
    settings, exchange = config(*changes), platform()
    with pytest.raises(IdentityError) as refused:
        run(resolve(settings, minter(settings, ledger, keys), QUERY, {}), LocalEdge(exchange))
    assert refusal_of(refused.value).startswith(f"registry {REGISTRY}: no identity: ")
    assert reason in str(refused.value)
    assert exchange.seen == []


def test_an_identity_that_the_exchange_does_not_trust_is_denied() -> None:
    with pytest.raises(ExchangeDenied, match="answered 401") as denied:
        resolved(config(), platform(subject="somebody-else"))
    assert REGISTRY in refusal_of(denied.value)
    assert "eyJ" not in str(denied.value)


@pytest.mark.parametrize("answer", [TransportError("https://a: no answer"), Response(status=503)])
def test_an_exchange_that_cannot_be_had_is_no_denial(answer: Response | TransportError) -> None:
    with pytest.raises(ExchangeUnavailable, match=REGISTRY):
        resolved(config(), Answers(answers=[answer]))


def test_a_plan_asks_nobody_and_says_who_will_be_asked() -> None:
    found = plan(config(), QUERY)
    assert (found.spec.name, found.audience) == ("jfrog", REGISTRY)
    assert found.place.exchange == "https://auth.example.com"


def test_without_a_word_the_registry_answers_the_exchange() -> None:
    settings = parse(without((*ENTRY, "exchange")), Path("/nowhere"))
    exchange = platform(origin=f"https://{REGISTRY}")
    assert resolved(settings, exchange).credential.username == "puller"
