import asyncio
from typing import Any

import pytest

from fakes.oidc import Issuer
from fakes.token_server import (
    ISSUER,
    NOW,
    OTHER_SERVICE,
    SERVICE,
    SUBJECT,
    World,
    config,
    connection,
    exchanged,
)
from pullpass.claims import read_token
from pullpass.config.model import Config
from pullpass.errors import PullpassError, TokenRefused, UsageError
from pullpass.scope import Scope, parse_scopes
from pullpass.secret import Secret
from pullpass.tokenserver.server import Granted, TokenServer

ASKED = parse_scopes(["repository:team/app:pull,push"])
ONE_FETCH = [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/jwks"]
MAIN = "repo:acme/app:ref:refs/heads/main"


def token(
    server: TokenServer,
    credential: Secret,
    asked: tuple[Scope, ...] = ASKED,
    service: str = SERVICE,
) -> Granted:
    return asyncio.run(server.token(service, asked, credential))


def refusal(
    world: World, credential: Secret, settings: Config | None = None, service: str = SERVICE
) -> str:
    with pytest.raises(TokenRefused) as caught:
        token(world.server(settings), credential, service=service)
    return str(caught.value)


def not_exchanged(world: World, settings: Config | None = None, **claims: Any) -> str:
    with pytest.raises(TokenRefused) as caught:
        exchanged(world.server(settings), world.identity(**claims))
    return str(caught.value)


def test_an_identity_becomes_a_credential_becomes_a_registry_token() -> None:
    world = World()
    server = world.server()
    given = asyncio.run(server.exchange("strongbox", world.identity()))
    assert (given.username, given.credential.expires_in) == ("puller", 3600)
    granted = token(server, given.credential.token)
    assert [str(scope) for scope in granted.scopes] == ["repository:team/app:pull"]
    claims = read_token(granted.token.token.reveal()).claims
    assert (claims["sub"], claims["aud"]) == ("puller", SERVICE)
    assert claims["access"] == [{"type": "repository", "name": "team/app", "actions": ["pull"]}]


def test_a_subject_without_a_user_name_is_its_own_with_no_colon_in_it() -> None:
    world = World()
    given = asyncio.run(world.server().exchange("strongbox", world.identity(sub=MAIN)))
    assert given.username == MAIN.replace(":", "/")


def test_an_identity_may_be_shown_as_password() -> None:
    world = World()
    granted = token(world.server(), world.identity())
    assert granted.token.expires_in == 300


def test_a_registry_token_does_not_outlive_the_identity_it_was_given_for() -> None:
    world = World()
    granted = token(world.server(), world.identity(exp=NOW + 100))
    assert granted.token.expires_in == 100


@pytest.mark.parametrize("left", [59, 0, -30])
def test_an_identity_in_its_last_minute_gives_no_registry_token(left: int) -> None:
    world = World()
    message = refusal(world, world.identity(exp=NOW + left))
    assert message == "the identity expires within a minute: pull again"


def test_an_expired_identity_is_refused() -> None:
    world = World()
    late = world.identity(iat=NOW - 600, nbf=NOW - 600, exp=NOW - 300)
    assert "it expired 300s ago" in refusal(world, late)
    assert "it expired 300s ago" in not_exchanged(
        world, iat=NOW - 600, nbf=NOW - 600, exp=NOW - 300
    )


def test_nobody_may_do_nothing_at_an_unknown_service() -> None:
    world = World()
    with pytest.raises(UsageError):
        token(world.server(), world.identity(), service="evil.example.com")
    assert world.keys.made == {}  # nothing was signed


def test_a_credential_of_one_service_is_refused_at_another() -> None:
    world = World()
    both = config(strongbox=connection(audiences=[SERVICE, OTHER_SERVICE]))
    credential = exchanged(world.server(both), world.identity())
    assert token(world.server(both), credential).scopes
    assert "not for service" in refusal(world, credential, both, OTHER_SERVICE)


def test_an_identity_for_one_service_is_refused_at_another() -> None:
    world = World()
    both = config(strongbox=connection(audiences=[SERVICE, OTHER_SERVICE]))
    assert "its aud is" in refusal(world, world.identity(), both, OTHER_SERVICE)


@pytest.mark.parametrize("service", [SERVICE, OTHER_SERVICE])
def test_an_identity_for_two_services_is_good_at_neither(service: str) -> None:
    world = World()
    both = config(strongbox=connection(audiences=[SERVICE, OTHER_SERVICE]))
    wide = [SERVICE, OTHER_SERVICE]
    assert "names several services" in refusal(world, world.identity(aud=wide), both, service)
    assert "names several services" in not_exchanged(world, both, aud=wide)
    # A connection that knows only one of them makes no difference.
    assert "names several services" in refusal(world, world.identity(aud=wide))
    assert "names several services" in not_exchanged(world, aud=wide)


def test_a_registry_token_is_no_password() -> None:
    world = World()
    shown = world.registry_token("repository:team/app:pull")
    assert "no connection of service" in refusal(world, shown)
    with pytest.raises(TokenRefused):
        exchanged(world.server(), shown)


def test_a_credential_cannot_be_exchanged_again() -> None:
    world = World()
    with pytest.raises(TokenRefused, match="not an identity"):
        exchanged(world.server(), world.credential())


@pytest.mark.parametrize("claims", [{"sub": "stranger"}, {"sub": SUBJECT.upper()}])
def test_a_subject_that_no_ruleset_speaks_of_is_refused(claims: dict[str, Any]) -> None:
    world = World()
    assert "no ruleset of connection strongbox" in refusal(world, world.identity(**claims))
    assert "no ruleset of connection strongbox" in not_exchanged(world, **claims)


def test_an_unknown_connection_is_refused_without_asking_anybody() -> None:
    world = World()
    with pytest.raises(TokenRefused, match="no connection of that name"):
        exchanged(world.server(), world.identity(), "other")
    assert world.issuer.asked == []


def test_an_issuer_that_nobody_trusts_is_not_asked() -> None:
    world = World()
    foreign = Issuer(url="https://evil.example.com")
    shown = foreign.sign({"iss": foreign.url, "aud": SERVICE, "sub": SUBJECT, "exp": NOW + 300})
    assert "no connection of service" in refusal(world, shown)
    assert world.issuer.asked == foreign.asked == []


def test_a_connection_that_was_switched_off_lets_nobody_in() -> None:
    world = World()
    credential = world.credential()
    off = config(strongbox=connection(active=False))
    assert refusal(world, credential, off) == "connection strongbox is not active"
    assert "no connection of service" in refusal(world, world.identity(), off)
    assert not_exchanged(world, off) == "connection strongbox is not active"


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ({"other": connection()}, "no connection of that name"),
        ({"strongbox": connection(issuer="https://id2.example.com")}, "was changed since"),
        ({"strongbox": connection(audiences=[OTHER_SERVICE])}, "was changed since"),
        ({"strongbox": connection(rulesets=[])}, "no ruleset of connection"),
    ],
)
def test_a_credential_is_good_only_as_long_as_what_let_it_in(
    now: dict[str, Any], says: str
) -> None:
    world = World()
    assert says in refusal(world, world.credential(), config(**now))


def test_rulesets_are_asked_again_for_each_token() -> None:
    world = World()
    credential = world.credential()
    rule = {"label": "x", "subject": ["*"], "resources": ["repository:team/*"], "actions": ["push"]}
    changed = config(strongbox=connection(rulesets=[rule]))
    granted = token(world.server(changed), credential)
    assert [str(scope) for scope in granted.scopes] == ["repository:team/app:push"]


def test_of_two_connections_of_one_issuer_the_one_that_knows_the_subject_answers() -> None:
    world = World()
    (nodes, ci) = ([rule] for rule in connection()["rulesets"])
    both = config(ci=connection(rulesets=ci), nodes=connection(rulesets=nodes))
    for subject, actions in ((SUBJECT, {"pull"}), (MAIN, {"pull", "push"})):
        granted = token(world.server(both), world.identity(sub=subject))
        assert granted.scopes[0].actions == actions
    assert "no ruleset" in refusal(world, world.identity(sub="stranger"), both)


def test_what_one_connection_let_in_gets_no_rights_of_another() -> None:
    world = World()
    (nodes, _) = ([rule] for rule in connection()["rulesets"])
    wide = [nodes[0] | {"actions": ["pull", "push", "delete"]}]
    both = config(nodes=connection(rulesets=nodes), admins=connection(rulesets=wide))
    credential = exchanged(world.server(both), world.identity(), "nodes")
    assert token(world.server(both), credential).scopes[0].actions == {"pull"}


def test_a_key_of_one_issuer_signs_nothing_for_another() -> None:
    world = World()
    two = config(
        strongbox=connection(),
        other=connection(issuer="https://id2.example.com", rulesets=connection()["rulesets"][:1]),
    )
    stolen = world.identity(iss="https://id2.example.com")
    with pytest.raises(PullpassError):
        token(world.server(two), stolen)
    assert not_exchanged(world, two, iss="https://id2.example.com").startswith("its iss is not")
