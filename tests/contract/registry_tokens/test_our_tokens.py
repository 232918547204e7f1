"""Each token of the chain opens the one door that it was made for, and no other."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import httpx
import pytest

from fakes.key_files import local
from fakes.programs import TokenAuth, docker_registry
from fakes.token_server import OTHER_SERVICE, SERVICE, Clock, World, config
from pullpass.certificates import certify
from pullpass.errors import TokenRefused
from pullpass.registry.challenge import parse_challenges
from pullpass.scope import parse_scopes
from pullpass.secret import Secret
from pullpass.tokenserver.tokens import Issued

NOTHING: Final = "/v2/team/app/manifests/nothing"  # 404 once the door is open
PUSH: Final = "repository:team/app:pull,push"
SETTINGS: Final = config()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A token server's surroundings, and the addresses of the registries of its two services.

    Attributes:
        careless: a registry of the first service that trusts every key there is.
    """

    world: World
    registries: dict[str, str]
    careless: str

    def ask(self, token: Secret, *, address: str = "", method: str = "GET") -> httpx.Response:
        """Shows token to a registry, by default the first service's."""
        host = address or self.registries[SERVICE]
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        url = f"http://{host}{NOTHING}"
        return httpx.request(method, url, headers=headers, timeout=30, trust_env=False)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    world = World(clock=Clock(time.time()))
    directory = tmp_path_factory.mktemp("chain")
    with ExitStack() as stack:

        def registry(name: str, service: str, *pems: bytes) -> str:
            bundle = directory / f"{name}.pem"
            bundle.write_bytes(b"".join(pems))
            auth = TokenAuth(
                realm="http://127.0.0.1:1/token",
                service=service,
                issuer=SETTINGS.services[service].issuer,
                rootcertbundle=bundle,
            )
            return stack.enter_context(docker_registry(directory / name, auth=auth))

        keys = {
            name: local(world.keys.load(name)).active.local
            for name in ("registry-token", "other-token", "exchange")
        } | {"identity": world.issuer.keys[-1]}
        pems = {name: certify(key, name) for name, key in keys.items()}
        yield Chain(
            world=world,
            registries={
                SERVICE: registry("first", SERVICE, pems["registry-token"]),
                OTHER_SERVICE: registry("second", OTHER_SERVICE, pems["other-token"]),
            },
            careless=registry("careless", SERVICE, *pems.values()),
        )


def registry_token(world: World, scope: str = PUSH, service: str = SERVICE) -> Issued:
    """Returns a token straight from the mint, whatever the rulesets say."""
    known, until = SETTINGS.services[service], int(world.clock.now) + 3600
    return local(world.mint.registry_token(known, "puller", parse_scopes([scope]), until))


def error(answer: httpx.Response) -> str:
    assert answer.status_code == 401
    (challenge,) = parse_challenges(answer.headers["www-authenticate"])
    return challenge.parameters["error"]


@pytest.mark.parametrize("service", [SERVICE, OTHER_SERVICE])
def test_what_we_mint_opens_the_registry_that_it_is_for(chain: Chain, service: str) -> None:
    token = registry_token(chain.world, service=service).token
    assert chain.ask(token, address=chain.registries[service]).status_code == 404


def test_what_an_identity_is_granted_opens_the_registry_to_pull_and_not_to_push(
    chain: Chain,
) -> None:
    token = chain.world.registry_token(PUSH)
    assert chain.ask(token).status_code == 404
    assert error(chain.ask(token, method="PUT")) == "insufficient_scope"


def test_a_grant_of_nothing_opens_nothing(chain: Chain) -> None:
    token = chain.world.registry_token("repository:secret/app:pull")
    assert error(chain.ask(token)) == "insufficient_scope"


@pytest.mark.parametrize("careless", [False, True])
def test_an_identity_or_exchanged_credential_opens_no_registry(
    chain: Chain, *, careless: bool
) -> None:
    for token in (chain.world.identity(), chain.world.credential()):
        shown = chain.ask(token, address=chain.careless if careless else "")
        assert error(shown) == "invalid_token"


def test_a_registry_token_of_one_service_opens_no_other(chain: Chain) -> None:
    token = registry_token(chain.world).token
    assert chain.ask(token).status_code == 404
    assert error(chain.ask(token, address=chain.registries[OTHER_SERVICE])) == "invalid_token"
    # Not even where both registries trust both keys.
    other = registry_token(chain.world, service=OTHER_SERVICE).token
    assert error(chain.ask(other, address=chain.careless)) == "invalid_token"


def test_a_registry_token_is_no_password_and_no_identity(chain: Chain) -> None:
    token = registry_token(chain.world).token
    assert chain.ask(token).status_code == 404
    server = chain.world.server()
    with pytest.raises(TokenRefused):
        asyncio.run(server.token(SERVICE, parse_scopes([PUSH]), token))
    with pytest.raises(TokenRefused):
        asyncio.run(server.exchange("strongbox", token))


def test_a_registry_token_ends_when_it_says(chain: Chain) -> None:
    service, key = SETTINGS.services[SERVICE], chain.world.keys
    late = World(clock=Clock(chain.world.clock.now - 3600), keys=key)
    until = int(chain.world.clock.now)
    token = local(late.mint.registry_token(service, "puller", parse_scopes([PUSH]), until)).token
    assert error(chain.ask(token)) == "invalid_token"
