"""The links from the entry to the lifetime: whole, and broken in turn."""

from typing import Any

import pytest

from fakes.chain import DISCOVERY, EXCHANGE, ISSUER, JWKS, REGISTRY, Chain
from fakes.issuing import Keys, Ledger, transit_key
from fakes.jfrog import JFrog
from fakes.key_files import local
from fakes.walking import (
    LINKS,
    Break,
    assert_broken,
    breaks,
    down,
    entry,
    levels,
    role,
    says,
    walked,
)
from pullpass.check.finding import Level
from pullpass.http import Response

OK, WARNING = Level.OK, Level.WARNING


def test_a_whole_chain_is_in_order_at_every_link() -> None:
    chain = Chain()
    kid = local(chain.keys.load("identity")).active.kid
    found = walked(chain)
    assert levels(found) == {}
    assert {link: one.saw for link, one in found.items()} == {
        "entry": f'registry."{REGISTRY}".credential[0] answers for team/app: issuer nodes,'
        " role docker-pull, provider jfrog",
        "identity": f"own issuer gives iss={ISSUER} sub=registry-pull aud={REGISTRY}, ES256,"
        " lives 300s",
        "trust": "nothing is known by which jfrog would refuse it",
        "issuer": f"seen from here: discovery and JWKS hold kid {kid}",
        "exchange": "jfrog gave a credential for puller",
        "lifetime": "the credential lives 3600s",
        "registry": "the registry takes the token of https://auth.example.com,"
        " which grants repository:team/app:pull",
        "clock": "within 0s of https://id.example.com",
    }


def test_without_a_repository_no_scope_is_asked_for() -> None:
    found = walked(Chain(), repository=None)
    assert levels(found) == {}
    assert "answers for the whole host" in found["entry"].saw
    assert found["registry"].saw == "the registry takes the token of https://auth.example.com"


# What each broken link says, and what it takes with it.
ENTRIES = [
    pytest.param(
        lambda chain: entry(chain).update(provider="jfrogg"),
        ['registry."acme.jfrog.io".provider', "jfrogg is no provider", ": use acr, "],
        78,
        id="provider",
    ),
    pytest.param(
        lambda chain: entry(chain)["parameters"].update(provider="strongbox"),
        ['registry."acme.jfrog.io".parameters.provider', "unknown", "provider_name"],
        78,
        id="parameter unknown",
    ),
    pytest.param(
        lambda chain: entry(chain).update(parameters={}),
        ['registry."acme.jfrog.io".parameters.provider_name', "is missing"],
        78,
        id="parameter missing",
    ),
    pytest.param(
        lambda chain: entry(chain)["credential"][0].update(repository="legacy/*"),
        ["acme.jfrog.io", "no entry covers team/app"],
        1,
        id="repository",
    ),
]
IDENTITIES = [
    pytest.param(
        lambda chain: role(chain).update(allowed_audiences=["acme.jfrog.io:443"]),
        ["role docker-pull: audience acme.jfrog.io is not allowed", "add exactly this address"],
        77,
        id="audience",
    ),
    pytest.param(
        lambda chain: role(chain).update(subject_template="${k8s.pod}"),
        ["role docker-pull: subject_template names ${k8s.pod}, which has no usable value here"],
        77,
        id="subject",
    ),
    pytest.param(
        lambda chain: setattr(chain, "keys", Keys()), ["there is no key identity"], 77, id="key"
    ),
    pytest.param(
        lambda chain: setattr(chain, "ledger", Ledger(room=0)),
        ["nothing is minted"],
        77,
        id="audit",
    ),
]
EXCHANGES = [
    pytest.param(
        lambda chain: entry(chain)["parameters"].update(provider_name="other"),
        [REGISTRY, "step token", "401 (UNAUTHORIZED)", "check that provider_name"],
        77,
        id="refused",
    ),
    pytest.param(
        lambda chain: setattr(chain, "jfrog", JFrog(subject="another")),
        [REGISTRY, "401 (UNAUTHORIZED)", "sub"],
        77,
        id="subject",
    ),
    pytest.param(
        breaks(EXCHANGE, Response(status=404)),
        [REGISTRY, "404", "check exchange"],
        77,
        id="no such endpoint",
    ),
    pytest.param(
        breaks(EXCHANGE, says(302, location="https://elsewhere.example.com/?code=eyJ")),
        [REGISTRY, "302, and redirects are not followed", "set exchange"],
        69,
        id="redirect",
    ),
    pytest.param(
        breaks(EXCHANGE, says(503, retry_after="7")),
        [REGISTRY, "503", "try again in 7 seconds"],
        75,
        id="unavailable",
    ),
    pytest.param(
        breaks(EXCHANGE, down),
        [REGISTRY, "no answer (Connection refused)", "check exchange and try again"],
        75,
        id="down",
    ),
    pytest.param(
        breaks(EXCHANGE, says(200, {"token": "eyJ"})), [REGISTRY, "answered 200"], 69, id="answer"
    ),
]


@pytest.mark.parametrize(("break_", "saw", "status"), ENTRIES)
def test_an_entry_that_cannot_work_leaves_nothing_to_try(
    break_: Break, saw: list[str], status: int
) -> None:
    chain = Chain()
    break_(chain)
    found = walked(chain)
    assert_broken(found, "entry", saw, status, LINKS[1:])
    assert found["clock"].saw == "nobody told the time"


def test_a_registry_that_is_not_configured_is_told_as_such() -> None:
    found = walked(Chain(), registry="other.example.com")
    saw = ["registry other.example.com is not configured", "add it"]
    assert_broken(found, "entry", saw, 1, LINKS[1:])


def test_entries_for_some_repositories_alone_answer_for_no_host() -> None:
    chain = Chain()
    entry(chain)["credential"][0].update(repository="team/*")
    assert levels(walked(chain)) == {}
    found = walked(chain, repository=None)
    assert_broken(found, "entry", ["team/*", "mark one host_default"], 78, LINKS[1:])


@pytest.mark.parametrize(("break_", "saw", "status"), IDENTITIES)
def test_an_identity_that_cannot_be_had_is_shown_nowhere(
    break_: Break, saw: list[str], status: int
) -> None:
    chain = Chain()
    break_(chain)
    found = walked(chain)
    assert_broken(found, "identity", saw, status, LINKS[2:])
    assert ("run this as the agent's user" in found["identity"].advice) is ("no key" in saw[0])


@pytest.mark.parametrize(
    ("break_", "saw"),
    [
        (breaks(DISCOVERY, down), "https://id.example.com: no answer (Connection refused)"),
        (breaks(JWKS, down), "https://id.example.com: no answer (Connection refused)"),
        (breaks(DISCOVERY, Response(status=404)), "status 404"),
        (breaks(DISCOVERY, says(200, [])), "not JSON objects"),
        (breaks(JWKS, says(200, {"keys": []})), "holds no usable key"),
    ],
)
def test_documents_that_cannot_be_had_from_here_are_a_warning(break_: Break, saw: str) -> None:
    chain = Chain()
    break_(chain)
    found = walked(chain)
    assert levels(found) == {"issuer": WARNING}
    assert found["issuer"].saw.startswith("seen from here: ")
    assert saw in found["issuer"].saw
    assert "the exchange must reach the same documents" in found["issuer"].advice


def test_an_issuer_that_is_not_the_same_to_the_byte_is_an_error() -> None:
    chain = Chain()
    chain.broken[DISCOVERY] = says(200, {"issuer": f"{ISSUER}/"})
    saw = [f"document of {ISSUER} names the issuer {ISSUER}/: both must be the same to the byte"]
    assert_broken(walked(chain), "issuer", saw, 77, [])


@pytest.mark.parametrize("listed", [{}, {"id_token_signing_alg_values_supported": ["RS256"]}])
def test_an_algorithm_that_discovery_does_not_name_is_a_warning(listed: dict[str, Any]) -> None:
    chain = Chain()
    chain.broken[DISCOVERY] = says(200, {"issuer": ISSUER, "jwks_uri": JWKS[1], **listed})
    found = walked(chain)
    assert levels(found) == {"issuer": WARNING}
    assert found["issuer"].saw.endswith(", and the first does not name ES256")
    assert "zot and others take RS256 alone" in found["issuer"].advice


def test_a_key_that_is_not_published_is_an_error_and_the_exchange_is_tried_all_the_same() -> None:
    chain = Chain()
    chain.keys = Keys({"identity": transit_key("identity")})
    found = walked(chain)
    kid = local(chain.keys.load("identity")).active.kid
    saw = [f"the JWKS of {ISSUER} does not hold kid {kid}", "is the issuer that is served"]
    assert_broken(found, "issuer", saw, 77, [])


@pytest.mark.parametrize(("break_", "saw", "status"), EXCHANGES)
def test_an_exchange_that_gives_nothing_ends_the_walk_but_for_the_clock(
    break_: Break, saw: list[str], status: int
) -> None:
    chain = Chain()
    break_(chain)
    found = walked(chain)
    assert_broken(found, "exchange", saw, status, ["lifetime", "registry"])
    compared = f"what the token says: iss={ISSUER} sub=registry-pull aud={REGISTRY}"
    assert (compared in found["exchange"].advice) is (status == 77)


def test_a_registry_may_take_the_identity_itself() -> None:
    chain = Chain()
    entry(chain).update(provider="passthrough", parameters={"username": "puller"})
    found = walked(chain)
    assert levels(found) == {"lifetime": WARNING}
    assert found["exchange"].saw == "passthrough shows the identity itself, as user puller"
    assert found["lifetime"].saw == "the credential lives 300s"


@pytest.mark.parametrize(("lifetime", "level"), [(599, WARNING), (600, OK)])
def test_a_lifetime_below_what_builds_need_is_a_warning(lifetime: int, level: Level) -> None:
    chain = Chain(jfrog=JFrog(lifetime=lifetime))
    found = walked(chain)
    assert found["lifetime"].level is level
    assert found["lifetime"].saw == f"the credential lives {lifetime}s"
    assert ("buildx" in found["lifetime"].advice) is (level is WARNING)


def test_a_lifetime_that_nobody_tells_is_a_warning() -> None:
    chain = Chain()
    entry(chain).update(provider="rfc8693", parameters={"token_path": "t", "username": "puller"})
    chain.broken["POST", f"https://{REGISTRY}/t"] = says(200, {"access_token": "eyJ-opaque"})
    found = walked(chain)
    assert levels(found) == {"lifetime": WARNING}
    assert found["lifetime"].saw == "nobody says how long the credential lives"
    assert "expires" in found["lifetime"].advice


def test_a_user_name_cannot_write_to_the_terminal() -> None:
    found = walked(Chain(jfrog=JFrog(username="\x1b[31mpuller\n✓ all is well", lifetime=3600)))
    assert "\x1b" not in found["exchange"].saw
