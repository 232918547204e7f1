"""Who may mint from another host, and what everybody else is told."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.issuing import Keys, Ledger, transit_key
from fakes.oidc import Issuer as Platform
from fakes.settings import ISSUER, REGISTRY, changed, refusal_of, role
from fakes.token_server import identity
from pullpass.claims import read_token
from pullpass.config.parse import parse
from pullpass.errors import ConfigError
from pullpass.identity.sources.remote import ASSERTION_TTL
from pullpass.issuer.caller import MAX_ASSERTION, node_keys
from pullpass.issuer.documents import jwks_document
from pullpass.issuer.mint import Minter
from pullpass.issuer.outside import MAX_CALLERS, REFUSALS_PER_MINUTE, Limit, Outside
from pullpass.jose import PrivateKey, generate_key, sign
from pullpass.relying import read_jwk, verify
from pullpass.secret import Secret

NOW: Final = 1_800_000_000
KEY: Final = generate_key("ed25519")
OTHER: Final = generate_key("ed25519")
PLATFORM: Final = "https://ci.example.com"
NODES: Final = ("issuers", "nodes")
SUBJECTS: Final = ("repo:acme/*", "spiffe://td/*", "system:serviceaccount:team-a:*")


def enrolled(key: PrivateKey) -> dict[str, str]:
    """Returns what `pullpass node-key show` prints of key."""
    members = key.public.jwk("a")
    return {name: members[name] for name in ("kty", "crv", "x", "y") if name in members}


@dataclass
class World:
    """An issuer that lets worker-1 and a CI platform mint."""

    changes: Mapping[tuple[str, ...], Any] = field(default_factory=dict)
    now: float = NOW
    seconds: float = 0.0
    ledger: Ledger = field(default_factory=lambda: Ledger(room=10_000))

    def __post_init__(self) -> None:
        self.key = transit_key("identity")
        self.platform = Platform(url=PLATFORM)
        values = changed(
            (
                (*NODES, "nodes"),
                {"worker-1": {"keys": [enrolled(KEY)]}, "w2": {"keys": [enrolled(OTHER)]}},
            ),
            (
                (*NODES, "callers"),
                {"ci": {"issuer": PLATFORM, "subjects": [*SUBJECTS]}},
            ),
            (
                (*NODES, "roles", "node"),
                role(subject_template="node:${node}", mint=[{"node": "worker-*"}]),
            ),
            (
                (*NODES, "roles", "ci"),
                role(subject_template="${caller}:${caller.subject}", mint=[{"caller": "ci"}]),
            ),
            (
                (*NODES, "roles", "spiffe"),
                role(subject_template="${spiffe.id}", mint=[{"caller": "ci"}]),
            ),
            (
                (*NODES, "roles", "account"),
                role(
                    subject_template="${k8s.namespace}/${k8s.serviceaccount}",
                    mint=[{"caller": "ci"}],
                ),
            ),
            *((path, value) for path, value in self.changes.items()),
        )
        self.config = parse(values, Path("/nowhere"))
        self.minter = Minter(
            issuers=self.config.issuers,
            keys=Keys({"identity": self.key}),
            audit=self.ledger,
            now=lambda: self.now,
        )
        self.restart()

    def restart(self) -> None:
        """Lets a server begin that has seen nothing yet."""
        self.outside = Outside(self.minter, self.platform, lambda: self.now, lambda: self.seconds)

    def ask(self, proof: str, role_: str = "node", body: object = None) -> tuple[int, Any]:
        """Returns what is answered to a request for a token of a role."""
        counter = self.outside.find(("id.example.com", f"/t/6f1c/jwt/nodes/roles/{role_}/mint"))
        assert counter
        raw = (
            body
            if isinstance(body, bytes)
            else json.dumps(body or {"audiences": [REGISTRY]}).encode()
        )
        return asyncio.run(self.outside.mint(counter, proof, raw))

    def refused(self, proof: str, role_: str = "node", body: object = None) -> tuple[int, str]:
        status, said = self.ask(proof, role_, body)
        record = self.ledger.records[-1]
        assert record["decision"] == "deny"
        assert said.keys() == {"error", "error_description"}
        assert said["error_description"] == record["reason"]
        return status, f"{record['constraint']}: {record['reason']}"


def endpoint(role_: str) -> str:
    """Returns the URL that an assertion for a role is for."""
    return f"{ISSUER}/roles/{role_}/mint"


def assertion(key: PrivateKey = KEY, role_: str = "node", **changes: Any) -> str:
    """Returns what worker-1 shows, with these changes; None drops a claim."""
    claims = {
        "iss": "worker-1",
        "sub": "worker-1",
        "aud": endpoint(role_),
        "iat": NOW,
        "exp": NOW + 30,
        "jti": "one",
    } | changes
    said = {name: value for name, value in claims.items() if value is not None}
    kid = changes.get("kid") or key.public.thumbprint()
    said.pop("kid", None)
    return f"Bearer {sign(said, key, kid=kid).reveal()}"


def test_an_enrolled_node_mints_as_itself() -> None:
    world = World()
    status, said = world.ask(assertion())
    assert (status, said["expires_in"]) == (200, 300)
    claims = verify(Secret(said["jwt"]), world.key.active.public)
    assert (claims["sub"], claims["aud"], claims["iss"]) == ("node:worker-1", REGISTRY, ISSUER)
    record = world.ledger.records[-1]
    assert (record["decision"], record["caller"]) == (
        "allow",
        {"kind": "node", "node": "worker-1"},
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": "worker-2"}, "its iss and sub are not worker-1"),
        ({"iss": "worker-2"}, "its iss and sub are not worker-1"),
        ({"iss": None, "sub": None}, "its iss and sub are not worker-1"),
        ({"aud": REGISTRY}, "its aud is not exactly"),
        ({"aud": ISSUER}, "its aud is not exactly"),
        ({"aud": endpoint("ci")}, "its aud is not exactly"),
        ({"aud": [endpoint("node"), REGISTRY]}, "its aud is not exactly"),
        ({"aud": None}, "its aud is not exactly"),
        ({"exp": None}, "it has no exp"),
        ({"iat": None}, "it has no exp and iat"),
        ({"exp": NOW}, "it expired 0s ago by this clock: compare the clocks"),
        ({"exp": NOW - 61}, "it expired"),
        ({"exp": NOW + MAX_ASSERTION + 1}, "it is good for 60s at most"),
        ({"iat": NOW + 61}, "ahead of this clock"),
        ({"nbf": NOW + 61}, "ahead of this clock"),
        ({"iat": NOW - 1}, "it is older than this server"),
        ({"jti": None}, "it has no jti"),
        ({"jti": ""}, "it has no jti"),
        ({"jti": "x" * 201}, "it has no jti"),
        ({"kid": "unknown"}, "of no enrolled node's key, and of no trusted issuer"),
    ],
)
def test_an_assertion_is_a_node_s_own_for_this_issuer_and_short(
    changes: dict[str, Any], reason: str
) -> None:
    status, told = World().refused(assertion(**changes))
    assert status == 401
    assert told.startswith("caller: ")
    assert reason in told


def test_a_node_cannot_sign_for_another() -> None:
    world = World()
    status, told = world.refused(assertion(OTHER, kid=KEY.public.thumbprint()))
    assert (status, "does not verify" in told) == (401, True)
    status, told = world.refused(assertion(OTHER))
    assert (status, "not w2, as its key is enrolled" in told) == (401, True)


def test_an_assertion_is_shown_once() -> None:
    world = World()
    assert world.ask(assertion())[0] == 200
    status, told = world.refused(assertion())
    assert (status, "it was shown before" in told) == (401, True)
    assert world.ask(assertion(jti="two"))[0] == 200


def test_a_node_that_a_role_does_not_name_may_not() -> None:
    status, told = World().refused(assertion(OTHER, iss="w2", sub="w2"))
    assert (status, told) == (403, "mint: role node: node:w2 may not mint: add it to its mint")
    status, told = World().refused(assertion(role_="ci"), "ci")
    assert (status, told.partition(":")[0]) == (403, "mint")


@pytest.mark.parametrize(
    "proof", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer a.b.c"]
)
def test_who_shows_nothing_is_nobody(proof: str) -> None:
    assert World().refused(proof)[0] == 401


def test_a_subject_of_a_trusted_issuer_mints_what_its_role_says() -> None:
    world = World()
    token = identity(world.platform, NOW, sub="repo:acme/app", aud=ISSUER).reveal()
    status, said = world.ask(f"Bearer {token}", "ci")
    assert status == 200, said
    assert read_token(said["jwt"]).text("sub") == "ci:repo:acme/app"
    spiffe = identity(world.platform, NOW, sub="spiffe://td/a", aud=ISSUER).reveal()
    status, said = world.ask(f"Bearer {spiffe}", "spiffe")
    assert read_token(said["jwt"]).text("sub") == "spiffe://td/a"
    status, told = world.refused(f"Bearer {token}", "spiffe")
    assert (status, told.partition(":")[0]) == (403, "subject_template")


def test_a_service_account_of_kubernetes_tells_its_namespace_and_its_name() -> None:
    world = World()

    def asked(subject: str) -> tuple[int, Any]:
        token = identity(world.platform, NOW, sub=subject, aud=ISSUER).reveal()
        return world.ask(f"Bearer {token}", "account")

    status, said = asked("system:serviceaccount:team-a:puller.v2")
    assert status == 200, said
    assert read_token(said["jwt"]).text("sub") == "team-a/puller.v2"
    assert asked("system:serviceaccount:team-a:a:b")[0] == 403
    assert asked("system:serviceaccount:team-a:a/b")[0] == 403


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": "repo:evil/app"}, "is none of the subjects of ci"),
        ({"aud": REGISTRY}, "its aud is"),
        ({"now": NOW - 4000}, "it expired"),
    ],
)
def test_a_trusted_issuer_s_token_is_judged_like_any_other(
    changes: dict[str, Any], reason: str
) -> None:
    world = World()
    asked: dict[str, Any] = {"sub": "repo:acme/app", "aud": ISSUER, "now": NOW} | changes
    token = identity(world.platform, **asked)
    status, told = world.refused(f"Bearer {token.reveal()}", "ci")
    assert status == 401
    assert reason in told


def test_where_a_trusted_issuer_cannot_be_had_nothing_is_minted() -> None:
    world = World()
    token = identity(world.platform, NOW, sub="repo:acme/app", aud=ISSUER).reveal()
    world.platform.up = False
    status, said = world.ask(f"Bearer {token}", "ci")
    assert (status, said["error"]) == (503, "temporarily_unavailable")
    assert "the issuer's log says why" in said["error_description"]


@given(
    st.binary(max_size=40)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["audiences", "subject", "claims", "ttl", "facts", "x"]), inner
            )
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode())
)
@settings(max_examples=200)
def test_whatever_is_asked_it_is_a_token_of_the_role_or_refused(raw: bytes) -> None:
    status, said = World().ask(assertion(), body=raw)
    assert status in {400, 403} or read_token(said["jwt"]).text("sub") == "node:worker-1"


def test_a_caller_who_comes_too_often_waits_and_disturbs_no_other() -> None:
    world = World(
        {
            (*NODES, "mints_per_minute"): 3,
            (*NODES, "roles", "all"): role(subject_template="${node}", mint=[{"node": "*"}]),
        }
    )
    for number in range(3):
        assert world.ask(assertion(role_="all", jti=str(number)), "all")[0] == 200
    shown = assertion(role_="all", jti="3")
    status, told = world.refused(shown, "all")
    assert (status, told.partition(":")[0]) == (429, "mints_per_minute")
    assert world.ask(assertion(OTHER, "all", iss="w2", sub="w2"), "all")[0] == 200
    world.seconds += 20
    assert world.ask(shown, "all")[0] == 200  # what came too soon was not used up


def test_not_more_callers_are_remembered_than_there_is_room_for() -> None:
    limit = Limit(1, lambda: 0.0)
    for number in range(MAX_CALLERS + 10):
        assert limit.takes(str(number))
    assert not limit.takes(str(MAX_CALLERS))
    assert limit.takes("0")  # long forgotten


def test_a_server_that_began_anew_takes_nothing_that_was_shown_before_it() -> None:
    world = World()
    shown = assertion()
    assert world.ask(shown)[0] == 200
    world.now += 2
    world.restart()
    status, told = world.refused(shown)
    assert (status, "it is older than this server" in told) == (401, True)
    assert world.ask(assertion(jti="two", iat=NOW + 2, exp=NOW + 32))[0] == 200


@pytest.mark.parametrize(("skew", "status"), [(-29, 200), (29, 200), (-31, 401), (31, 401)])
def test_clocks_may_differ_by_less_than_half_a_minute(skew: int, status: int) -> None:
    world = World()
    world.now += 100  # it has been there for a while
    at = NOW + 100 + skew
    assert world.ask(assertion(iat=at, exp=at + ASSERTION_TTL))[0] == status


def test_whoever_is_refused_over_and_over_does_not_fill_the_audit() -> None:
    world = World()
    for _ in range(REFUSALS_PER_MINUTE + 20):
        assert world.ask("Bearer a.b.c")[0] == 401
    assert len(world.ledger.records) == REFUSALS_PER_MINUTE
    assert world.ledger.records[0]["caller"] == {"kind": "unproven"}
    assert world.refused(assertion(OTHER, iss="w2", sub="w2"))[0] == 403


def test_where_no_line_can_be_written_nobody_is_told_why() -> None:
    world = World(ledger=Ledger(room=0))
    for proof in (assertion(), "Bearer a.b.c"):
        status, said = world.ask(proof)
        assert (status, said["error"]) == (503, "temporarily_unavailable")


def test_the_audit_tells_who_showed_a_token() -> None:
    world = World()
    token = identity(world.platform, NOW, sub="repo:acme/app", aud=ISSUER).reveal()
    world.ask(f"Bearer {token}", "ci")
    told = {"kind": "token", "iss": PLATFORM, "sub": "repo:acme/app"}
    facts = {"caller": "ci", "caller.subject": "repo:acme/app"}
    assert world.ledger.records[-1]["caller"] == told | facts


def test_what_a_node_says_of_others_is_believed_where_its_selector_says_so() -> None:
    template = "${node}:${k8s.namespace}"
    mint = [{"node": "worker-*", "facts": ["k8s.namespace"]}, {"node": "w2"}]
    world = World({(*NODES, "roles", "pods"): role(subject_template=template, mint=mint)})
    body = {"audiences": [REGISTRY], "facts": {"k8s.namespace": "shop"}}
    status, said = world.ask(assertion(role_="pods"), "pods", body)
    assert status == 200, said
    assert read_token(said["jwt"]).text("sub") == "worker-1:shop"

    status, told = world.refused(assertion(OTHER, "pods", iss="w2", sub="w2"), "pods", body)
    assert (status, told.partition(":")[0]) == (403, "facts")
    more = {**body, "facts": {"k8s.namespace": "shop", "unix.user": "root"}}
    status, told = world.refused(assertion(role_="pods", jti="2"), "pods", more)
    assert (status, "node:worker-1 is not believed k8s.namespace, unix.user" in told) == (403, True)


@pytest.mark.parametrize(
    "facts",
    [
        {"node": "worker-2"},
        {"caller.subject": "a"},
        {"unix.user": "x" * 256},
        {"unix.user": 1},
        {"k8s.namespace": "shop:worker-2"},
        {"k8s.pod": "a/b"},
        {"registry": "a/b"},
    ],
)
def test_no_fact_that_is_stated_stands_for_what_only_a_proof_can_say(facts: dict[str, Any]) -> None:
    status, told = World().refused(assertion(), body={"audiences": [REGISTRY], "facts": facts})
    assert (status, told.partition(":")[0]) == (400, "body")


def test_a_role_that_names_users_of_this_host_alone_is_nowhere_to_be_found() -> None:
    world = World({(*NODES, "roles", "own"): role(mint=[{"uid": 0}])})
    assert world.outside.find(("id.example.com", "/t/6f1c/jwt/nodes/roles/own/mint")) is None


def test_a_role_that_names_nobody_is_nowhere_to_be_found() -> None:
    place = ("id.example.com", "/t/6f1c/jwt/nodes/roles/docker-pull/mint")
    assert World().outside.find(place) is None


def test_a_node_that_mints_while_cut_off_has_its_key_in_the_jwks() -> None:
    own = generate_key()
    nodes = {"site": {"keys": [enrolled(own)], "offline": True}, "w": {"keys": [enrolled(KEY)]}}
    world = World({(*NODES, "nodes"): nodes, (*NODES, "roles", "node"): role()})
    issuer = world.config.issuers["nodes"]
    body = jwks_document(issuer, world.key, world.config.keys["identity"]).body
    shown = {jwk["kid"]: read_jwk(jwk) for jwk in json.loads(body)["keys"]}
    assert shown.keys() == {world.key.active.kid, own.public.thumbprint()}
    found = shown[own.public.thumbprint()]
    assert found
    assert verify(sign({"sub": "a"}, own, kid="x"), found) == {"sub": "a"}


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ({"a": {"keys": [{"kty": "EC"}]}}, "a.keys: holds what is no public JWK"),
        ({"a": {"keys": [{**enrolled(KEY), "d": "AQ"}]}}, "a.keys: holds what is no public JWK"),
        (
            {"a": {"keys": [enrolled(KEY)]}, "b": {"keys": [enrolled(KEY)]}},
            "b.keys: holds a key of",
        ),
        (
            {"a": {"keys": [enrolled(KEY)], "offline": True}},
            "a.keys: holds a key that does not sign",
        ),
    ],
)
def test_a_key_that_cannot_be_enrolled_is_refused(nodes: Any, reason: str) -> None:
    values = changed(((*NODES, "nodes"), nodes))
    issuer = parse(values, Path("/nowhere")).issuers["nodes"]
    with pytest.raises(ConfigError) as refused:
        node_keys(issuer)
    assert reason in refusal_of(refused.value)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({("nodes",): {"a": {"keys": []}}}, "nodes.a.keys"),
        ({("nodes",): {"a b": {"keys": [enrolled(KEY)]}}}, 'nodes."a b"'),
        ({("nodes",): {"a:b": {"keys": [enrolled(KEY)]}}}, 'nodes."a:b"'),
        ({("nodes",): {"a/b": {"keys": [enrolled(KEY)]}}}, 'nodes."a/b"'),
        ({("nodes",): {"a": {"keys": [{"x": 1}]}}}, "nodes.a.keys[0]"),
        ({("nodes",): {"a": {"keys": [enrolled(KEY)] * 6}}}, "nodes.a.keys"),
        ({("callers",): {"a": {"issuer": PLATFORM, "subjects": []}}}, "callers.a.subjects"),
        (
            {("callers",): {"a": {"issuer": "http://ci.example.com", "subjects": ["a"]}}},
            "callers.a.issuer",
        ),
        ({("roles", "r"): role(mint=[{}])}, "roles.r.mint"),
        ({("roles", "r"): role(mint=[{"uid": 0, "node": "a"}])}, "roles.r.mint[0].node"),
        ({("roles", "r"): role(mint=[{"uid": -1}])}, "roles.r.mint[0].uid"),
        (
            {("roles", "r"): role(mint=[{"node": "a", "facts": ["node"]}])},
            "roles.r.mint[0].facts",
        ),
        ({("callers",): {"a": {"issuer": ISSUER, "subjects": ["*"]}}}, "callers.a.issuer"),
        (  # an entry of this host's own names that role
            {
                ("nodes",): {"a": {"keys": [enrolled(KEY)]}},
                ("roles", "docker-pull"): role(subject_template="${node}", mint=[{"node": "a"}]),
            },
            "roles.docker-pull.mint",
        ),
        ({("roles", "r"): role(mint=[{"node": "a", "caller": "b"}])}, "roles.r.mint"),
        ({("roles", "r"): role(mint=[{"caller": "lost"}])}, "roles.r.mint"),
        (
            {
                ("nodes",): {"a": {"keys": [enrolled(KEY)]}},
                ("roles", "r"): role(mint=[{"node": "a"}]),
            },
            "roles.r.subject_template",  # without ${node} a stolen node could pass for any other
        ),
        (
            {("nodes",): {f"n{n}": {"keys": [enrolled(KEY)], "offline": True} for n in range(96)}},
            "nodes",
        ),
    ],
)
def test_who_may_mint_is_said_without_a_gap(changes: Any, key: str) -> None:
    values = changed(*(((*NODES, *path), value) for path, value in changes.items()))
    with pytest.raises(ConfigError) as refused:
        parse(values, Path("/nowhere"))
    assert refused.value.key == f"issuers.nodes.{key}"
