"""Whose surroundings give the identity that an agent shows."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.issuing import Keys, Ledger
from fakes.jfrog import unsigned
from fakes.loop import in_a_loop
from fakes.settings import REGISTRY, changed
from pullpass.agent.counters import Counters
from pullpass.agent.peer import Peer
from pullpass.agent.policy import policy_of
from pullpass.agent.question import Question
from pullpass.agent.resolver import Resolver
from pullpass.agent.reuse import Grant
from pullpass.config.parse import parse
from pullpass.errors import CallerDenied, IdentityError, StoreError
from pullpass.http import Request, Response
from pullpass.issuer.mint import Minter
from pullpass.resolve.choose import Query

NOW: Final = 1_800_000_000.0
SHIM: Final = 991
ASKED: Final = Question(query=Query(registry=REGISTRY, repository="team/app"))


class Nobody:
    """A network on which nobody answers: passthrough asks no one."""

    async def send(self, request: Request) -> Response:
        raise AssertionError(request.origin)


@dataclass
class Host:
    """A host whose agent shows the identity that entry names."""

    entry: dict[str, Any]
    reuse: str = "10m"
    environ: dict[str, str] = field(default_factory=dict)
    identities: dict[str, Any] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)

    def __post_init__(self) -> None:
        rules = {"allow": [{"uid": 1000}, {"uid": 1001}], "shim": {"uid": SHIM}}
        values = changed(
            (("agent",), rules),
            (("identities",), self.identities),
            (("registry", REGISTRY, "provider"), "passthrough"),
            (("registry", REGISTRY, "parameters"), {}),
            (("registry", REGISTRY, "reuse"), self.reuse),
            (("registry", REGISTRY, "credential"), [self.entry]),
        )
        config = parse(values, Path("/nowhere"))
        self.resolver = Resolver(
            config=config,
            policy=policy_of(config),
            minter=Minter(issuers=config.issuers, keys=Keys(), audit=Ledger()),
            transport=Nobody(),
            counters=self.counters,
            now=lambda: NOW,
            environ=self.environ,
        )

    def declines(self, uid: int = 1000) -> bool:
        return self.resolver.declines(ASKED, Peer(uid=uid, gids=frozenset(), pid=1))

    async def ask(self, uid: int = 1000) -> Grant:
        return await self.resolver.resolve(ASKED, Peer(uid=uid, gids=frozenset(), pid=1))


def token(**claims: Any) -> str:
    return unsigned({"aud": REGISTRY, "exp": int(NOW) + 3600, "jti": "one", **claims})


def of_file(path: Path) -> Host:
    return Host(
        entry={"identity": "k8s"}, identities={"k8s": {"source": "file", "path": str(path)}}
    )


@pytest.mark.parametrize("name", ["github-actions", "gitlab", "auto"])
def test_what_lives_in_the_callers_environment_is_left_to_the_caller(name: str) -> None:
    host = Host(entry={"identity": name})
    assert host.declines()
    assert not host.declines(SHIM)


def test_what_rests_in_a_store_is_left_to_the_caller() -> None:
    assert Host(entry={"store": "keyring", "secret": "a"}).declines()


def test_what_the_host_gives_to_everybody_is_the_agents(tmp_path: Path) -> None:
    assert not of_file(tmp_path / "token").declines()
    assert not Host(entry={"issuer": "nodes", "role": "docker-pull"}).declines()


@in_a_loop
async def test_the_shims_pods_are_given_what_the_agents_own_environment_holds() -> None:
    variable = {"e": {"source": "env", "variable": "TOKEN"}}
    shown = token(sub="node")
    host = Host(entry={"identity": "e"}, identities=variable, environ={"TOKEN": shown})
    assert (await host.ask(SHIM)).credential.secret.reveal() == shown


@in_a_loop
async def test_a_files_token_is_shown_and_named_in_the_journal(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token(sub="node") + "\n")
    grant = await of_file(tmp_path / "token").ask()
    assert grant.credential.secret.reveal() == token(sub="node")
    assert (grant.token_id, grant.minted_at) == ("one", NOW)


@in_a_loop
async def test_questions_that_overlap_share_a_token_and_two_users_never_do(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token())
    host = of_file(tmp_path / "token")
    await asyncio.gather(*(host.ask(uid) for uid in (1000, 1000, 1001, 1000)))
    # On a busy host a question may come when the answer to the one before it is there already.
    assert host.counters.exchanges == 2
    assert host.counters.shared + host.counters.reused == 2


@in_a_loop
async def test_reuse_holds_for_every_identity(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token(sub="old"))
    host = of_file(file)
    first = await host.ask()
    file.write_text(token(sub="new"))
    again = await host.ask()
    assert (again.credential, again.reused) == (first.credential, True)
    assert not (await host.ask(1001)).reused


@in_a_loop
async def test_a_token_for_somebody_else_is_shown_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token(aud=["other.example", f"{REGISTRY}:8443"]))
    with pytest.raises(IdentityError, match=f"registry {REGISTRY}: no identity: k8s: its token is"):
        await of_file(tmp_path / "token").ask()


@pytest.mark.parametrize("store", ["keyring", "pass", "systemd"])
def test_a_stored_credential_is_the_caller_s(store: str) -> None:
    host = Host(entry={"store": store, "secret": "reg"})
    assert host.declines()
    assert not host.declines(SHIM)


@in_a_loop
async def test_what_systemd_gave_the_agent_it_gives_to_whom_the_policy_names(
    tmp_path: Path,
) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    host = Host(entry={"store": "systemd", "secret": "reg"}, environ=environ)
    (tmp_path / "reg").write_text('{"username": "me", "secret": "first"}')
    assert not host.declines()
    grant = await host.ask()
    assert (grant.credential.username, grant.credential.secret.reveal()) == ("me", "first")
    assert (grant.token_id, grant.fingerprint, grant.reused) == ("", "", False)
    (tmp_path / "reg").write_text('{"username": "me", "secret": "second"}')
    assert (await host.ask()).credential.secret.reveal() == "second"
    with pytest.raises(CallerDenied):
        await host.ask(4711)


@in_a_loop
async def test_what_systemd_did_not_give_is_told(tmp_path: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    host = Host(entry={"store": "systemd", "secret": "reg"}, environ=environ)
    with pytest.raises(StoreError, match="LoadCredentialEncrypted=reg"):
        await host.ask()
