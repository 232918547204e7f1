from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.answers import Answers
from fakes.issuing import Keys, Ledger
from fakes.settings import REGISTRY, refusal_of, settings
from pullpass.config.model import Config, CredentialEntry, Stored
from pullpass.config.parse import parse
from pullpass.credential import Credential
from pullpass.errors import PullpassError, StoreError
from pullpass.http import run
from pullpass.identity.edge import LocalEdge
from pullpass.identity.effects import Effect, LoadStored
from pullpass.issuer.mint import Minter
from pullpass.resolve.choose import Query
from pullpass.resolve.explain import explain
from pullpass.resolve.flow import Resolved, of_caller, resolve
from pullpass.resolve.stored import stored_in
from pullpass.secret import Secret

QUERY: Final = Query(registry=REGISTRY, repository="team/app")
ENVIRON: Final = {"HOME": "/home/alice"}
CREDENTIAL: Final = Credential(username="me", secret=Secret("word"))


class Shelves:
    """An edge at which every credential rests that was put there."""

    def __init__(self, answer: Callable[[], Credential | None]) -> None:
        self.asked: list[Effect] = []
        self.answer = answer

    def send(self, effect: Effect, /) -> Any:
        self.asked.append(effect)
        return self.answer()


def config(store: str = "pass") -> Config:
    values = settings()
    entry = {"repository": "team/*", "store": store, "secret": "reg/team", "host_default": True}
    values["registry"][REGISTRY]["credential"].append(entry)
    return parse(values, Path("/nowhere"))


def resolved(edge: Shelves, settings: Config) -> Resolved:
    minter = Minter(issuers=settings.issuers, keys=Keys(), audit=Ledger(room=0))
    return run(resolve(settings, minter, QUERY, ENVIRON), edge)


def test_what_is_stored_is_given_and_nobody_is_asked() -> None:
    edge = Shelves(lambda: CREDENTIAL)
    found = resolved(edge, config())
    assert found.credential == CREDENTIAL
    assert (found.identity, found.audience) == (None, "")
    assert found.entry.key == f'registry."{REGISTRY}".credential[1]'
    assert edge.asked == [LoadStored(store="pass", name="reg/team", environ=ENVIRON)]
    assert "word" not in repr(found)


@pytest.mark.parametrize(
    ("store", "advice"),
    [
        ("pass", "store it with `pullpass secret set reg/team`"),
        ("keyring", "store it with `pullpass secret set reg/team`"),
        ("systemd", "let the unit of the service have LoadCredentialEncrypted=reg/team"),
    ],
)
def test_what_is_missing_is_an_error_and_never_nobody(store: str, advice: str) -> None:
    with pytest.raises(StoreError) as missing:
        resolved(Shelves(lambda: None), config(store))
    assert refusal_of(missing.value) == (
        f"registry {REGISTRY}: there is no secret reg/team in {store}: {advice}"
    )


def test_a_store_that_fails_is_told_with_the_registry() -> None:
    def fail() -> None:
        raise StoreError("the keyring is locked: unlock it")

    with pytest.raises(StoreError, match=f"^registry {REGISTRY}: the keyring is locked: unlock"):
        resolved(Shelves(fail), config())


def test_other_repositories_go_their_own_way() -> None:
    settings = config()
    minter = Minter(issuers=settings.issuers, keys=Keys(), audit=Ledger())
    other = Query(registry=REGISTRY, repository="other/app")
    with pytest.raises(PullpassError, match="no identity"):
        run(resolve(settings, minter, other, ENVIRON), LocalEdge(Answers(answers=())))


@pytest.mark.parametrize(
    ("store", "environ", "expected"),
    [
        ("keyring", {}, True),
        ("pass", {"CREDENTIALS_DIRECTORY": "/run/credentials/pullpass"}, True),
        ("systemd", {}, True),
        ("systemd", {"CREDENTIALS_DIRECTORY": "/run/credentials/pullpass"}, False),
    ],
)
def test_what_is_stored_is_the_caller_s_but_for_what_systemd_gave(
    store: str, environ: dict[str, str], *, expected: bool
) -> None:
    source = Stored(store=store, secret="reg")
    entry = CredentialEntry(repository="*", source=source, host_default=False, key="one")
    assert of_caller(entry, environ) is expected


def test_every_stored_credential_is_named_once() -> None:
    values = settings()
    entry = {"repository": "a/*", "store": "pass", "secret": "one"}
    values["registry"][REGISTRY]["credential"] += [
        entry,
        entry | {"repository": "b/*"},
        entry | {"repository": "c/*", "store": "keyring"},
    ]
    found = list(stored_in(parse(values, Path("/nowhere"))))
    assert found == [Stored(store="pass", secret="one"), Stored(store="keyring", secret="one")]


@pytest.mark.parametrize(("store", "answers"), [("pass", False), ("systemd", True)])
def test_an_explanation_says_where_it_rests_and_who_reads_it(store: str, *, answers: bool) -> None:
    found = explain(config(store), REGISTRY, "team/app")
    assert found.candidates[1].identity == f"store {store}"
    assert found.by_repository.entry == found.by_host.entry == found.candidates[1].entry
    assert found.audience == ""
    assert found.agent
    assert found.agent.answers is answers
