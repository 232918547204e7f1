"""The last links: the registry with its realm, and the clocks."""

import pytest

from fakes.chain import BASE, DISCOVERY, EXCHANGE, NOW, REALM, REGISTRY, TAGS, Chain
from fakes.jfrog import unsigned
from fakes.walking import Break, assert_broken, breaks, down, levels, says, walked
from pullpass.check.finding import Level
from pullpass.http import Response

REGISTRIES = [
    pytest.param(
        breaks(BASE, Response(status=404)),
        [REGISTRY, "status 404", "is it a registry?"],
        69,
        id="no registry",
    ),
    pytest.param(breaks(BASE, down), [f"https://{REGISTRY}: no answer"], 75, id="down"),
    pytest.param(
        lambda chain: setattr(chain, "challenge", 'Negotiate realm="a"'),
        [REGISTRY, "names no way to get in"],
        69,
        id="challenge",
    ),
    pytest.param(
        lambda chain: setattr(chain, "challenge", 'Bearer realm="http://auth.example.com/token"'),
        [REGISTRY, "the realm that it names", "is not https", "mend"],
        69,
        id="realm",
    ),
    pytest.param(
        breaks(REALM, says(401, {"details": "eyJ"})),
        [REGISTRY, "its token server refused the credential with 401", "is its connection active"],
        69,
        id="credential",
    ),
    pytest.param(
        breaks(REALM, says(200, {"token": "eyJ-of-somebody-else"})),
        [
            f"registry {REGISTRY}: it refuses the token of https://auth.example.com with 401",
            "does it trust the key, the issuer and the service",
        ],
        69,
        id="trust",
    ),
]


@pytest.mark.parametrize(("break_", "saw", "status"), REGISTRIES)
def test_a_registry_that_lets_nobody_in_says_where_it_stops(
    break_: Break, saw: list[str], status: int
) -> None:
    chain = Chain()
    break_(chain)
    assert_broken(walked(chain), "registry", saw, status, [])


@pytest.mark.parametrize("place", [BASE, REALM])
def test_a_host_that_does_not_answer_is_to_be_looked_after(place: tuple[str, str]) -> None:
    chain = Chain()
    chain.broken[place] = down
    assert "reachable from here" in walked(chain)["registry"].advice


def test_a_registry_that_lets_everybody_in_is_a_warning() -> None:
    chain = Chain()
    chain.broken[BASE] = Response(status=200)
    found = walked(chain)
    assert levels(found) == {"registry": Level.WARNING}
    assert found["registry"].saw == "the registry lets everybody in"


@pytest.mark.parametrize("repository", ["team/other", "private/app"])
def test_a_scope_that_is_not_granted_is_an_error_that_names_it(repository: str) -> None:
    found = walked(Chain(), repository=repository)
    asked = (
        f"the token of https://auth.example.com grants nothing where repository:{repository}:pull"
    )
    assert_broken(found, "registry", [asked, "let a ruleset"], 69, [])


def test_a_scope_that_is_granted_for_another_action_is_not_enough() -> None:
    access = {"type": "repository", "name": "team/app", "actions": ["push"]}
    token = unsigned({"access": [access]})
    chain = Chain(given={token})
    chain.broken[REALM] = says(200, {"token": token})
    saw = ["grants repository:team/app:push where repository:team/app:pull was asked"]
    assert_broken(walked(chain), "registry", saw, 69, [])


@pytest.mark.parametrize(
    ("chain", "shown"),
    [
        (Chain(opaque=True), "the token of https://auth.example.com"),
        (Chain(challenge="Basic"), "the credential"),
    ],
)
def test_what_does_not_say_what_it_grants_is_tried(chain: Chain, shown: str) -> None:
    found = walked(chain)
    assert levels(found) == {}
    assert found["registry"].saw == f"the registry takes {shown}, and lets team/app be pulled"
    chain.broken[TAGS] = Response(status=403)
    saw = [f"registry {REGISTRY}: {shown} does not let team/app be pulled (403): let a rule"]
    assert_broken(walked(chain), "registry", saw, 69, [])
    chain.broken[TAGS] = Response(status=404)
    found = walked(chain)
    assert levels(found) == {"registry": Level.WARNING}
    assert "answers 404 where the tags of team/app are asked for" in found["registry"].saw


def test_a_registry_may_take_the_credential_itself() -> None:
    found = walked(Chain(challenge='Basic realm="\u202ehidden"'))
    assert levels(found) == {}
    assert found["registry"].saw.startswith("the registry takes the credential, and lets")


def test_a_registry_may_refuse_the_credential_itself() -> None:
    chain = Chain()
    chain.broken[BASE] = says(401, www_authenticate="Basic")
    assert "refuses the credential with 401" in walked(chain)["registry"].saw


@pytest.mark.parametrize(("ahead", "side"), [(300, "behind"), (-300, "ahead of")])
def test_a_clock_that_is_wrong_is_an_error_both_ways(ahead: int, side: str) -> None:
    found = walked(Chain(clock=NOW + ahead))
    saw = [f"this clock is 300s {side} that of https://id.example.com", "run a time service"]
    assert_broken(found, "clock", saw, 77, [])


@pytest.mark.parametrize("ahead", [30, -30])
def test_a_clock_that_is_a_bit_off_is_in_order(ahead: int) -> None:
    found = walked(Chain(clock=NOW + ahead))
    assert levels(found) == {}
    assert found["clock"].saw == "within 30s of https://id.example.com"


def test_the_worst_of_all_clocks_is_named() -> None:
    chain = Chain(clock=NOW + 1)
    chain.broken[DISCOVERY] = says(404, date="Fri, 15 Jan 2027 08:05:00 GMT")
    assert "300s behind that of https://id.example.com" in walked(chain)["clock"].saw


def test_the_clock_is_looked_at_after_an_exchange_that_refuses() -> None:
    chain = Chain(clock=NOW + 300)
    chain.broken[EXCHANGE] = Response(status=401)
    assert walked(chain)["clock"].level is Level.ERROR
