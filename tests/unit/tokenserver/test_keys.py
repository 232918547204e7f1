"""When the token server asks for the keys of an issuer."""

import asyncio
from dataclasses import replace

import pytest

from fakes.oidc import Gate, Issuer
from fakes.token_server import ISSUER, NOW, SERVICE, World, exchanged
from pullpass.errors import TokenRefused, TransportError
from pullpass.jose import generate_key
from pullpass.scope import parse_scopes
from pullpass.verifier.cache import COOL_DOWN, MAX_STALE, REFRESH_AFTER

ASKED = parse_scopes(["repository:team/app:pull"])
ONE_FETCH = [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/jwks"]


def test_a_cold_start_fetches_the_keys_once_however_many_ask() -> None:
    world = World()
    server = world.server()

    async def crowd() -> None:
        asking = [server.exchange("strongbox", world.identity()) for _ in range(20)]
        tokens = [server.token(SERVICE, ASKED, world.identity()) for _ in range(20)]
        await asyncio.gather(*asking, *tokens)

    asyncio.run(crowd())
    assert world.issuer.asked == ONE_FETCH


def test_keys_outlive_an_outage_of_their_issuer() -> None:
    world = World()
    server = world.server()
    exchanged(server, world.identity())
    world.issuer.up = False
    for later in (REFRESH_AFTER, 3600, MAX_STALE - 1):
        world.clock.now = NOW + later
        exchanged(server, world.identity())
    world.clock.now = NOW + MAX_STALE
    with pytest.raises(TransportError, match="keys cannot be had now"):
        exchanged(server, world.identity())
    world.issuer.up = True
    world.clock.now += COOL_DOWN
    exchanged(server, world.identity())


def test_a_new_key_is_found_by_its_kid() -> None:
    world = World()
    server = world.server()
    exchanged(server, world.identity())
    world.issuer.keys.append(generate_key())
    with pytest.raises(TokenRefused, match="publishes no key of its kid"):
        exchanged(server, world.identity())
    world.clock.now += COOL_DOWN
    exchanged(server, world.identity())
    assert world.issuer.asked == ONE_FETCH * 2


def test_unknown_kids_make_no_storm() -> None:
    world = World()
    server = world.server()
    exchanged(server, world.identity())
    world.clock.now += COOL_DOWN

    async def storm() -> list[object]:
        forged = [
            replace(world, issuer=Issuer(url=ISSUER)).identity(jti=str(at)) for at in range(50)
        ]
        asking = [server.exchange("strongbox", one) for one in forged]
        return list(await asyncio.gather(*asking, return_exceptions=True))

    answers = asyncio.run(storm())
    assert {type(answer) for answer in answers} == {TokenRefused}
    assert world.issuer.asked == ONE_FETCH * 2


def test_a_slow_issuer_stops_nobody_whose_key_is_at_hand() -> None:
    world = World()
    server = world.server()
    exchanged(server, world.identity())
    world.clock.now += COOL_DOWN
    stranger = replace(world, issuer=Issuer(url=ISSUER)).identity()

    async def beside_a_hanging_fetch() -> None:
        world.issuer.gate = gate = Gate()
        hanging = asyncio.create_task(server.exchange("strongbox", stranger))
        async with asyncio.timeout(10):
            await gate.reached.wait()
            await server.exchange("strongbox", world.identity())
        assert not hanging.done()
        gate.opened.set()
        with pytest.raises(TokenRefused):
            await hanging

    asyncio.run(beside_a_hanging_fetch())
