from pathlib import Path
from typing import Any, Final

import pytest

from fakes.settings import ISSUER, REGISTRY, Place, changed, refusal_of, role, settings, without
from pullpass.config.model import Config, Listener, OwnIssuer
from pullpass.config.parse import parse
from pullpass.errors import ConfigError

STATE: Final = Path("/var/lib/state")
NODES: Final = ("issuers", "nodes")
ROLE: Final = (*NODES, "roles", "docker-pull")
ENTRY: Final = ("registry", REGISTRY)
CREDENTIAL: Final = (*ENTRY, "credential")
FIRST: Final = (*CREDENTIAL, 0)
SERVICE: Final = ("services", REGISTRY)
STRONGBOX: Final = ("connections", "strongbox")
RULESET: Final = (*STRONGBOX, "rulesets", 0)
LISTEN: Final = ("serve", "issuer")


def parsed(values: dict[str, Any]) -> Config:
    return parse(values, STATE)


def key_of(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as refused:
        parsed(values)
    assert refusal_of(refused.value).startswith(refused.value.key)
    return refused.value.key


def spelled(place: Place) -> str:
    """Returns the dotted key of a place whose registry is REGISTRY."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).removeprefix(".").replace(REGISTRY, f'"{REGISTRY}"')


TABLES: Final = (
    (),
    ("keys", "identity"),
    NODES,
    ROLE,
    ENTRY,
    FIRST,
    ("serve",),
    LISTEN,
    SERVICE,
    STRONGBOX,
    RULESET,
)


def test_no_settings_are_an_empty_configuration() -> None:
    assert parsed({}) == Config(state_dir=STATE)


def test_settings_become_values() -> None:
    config = parsed(settings())
    assert config.state_dir == Path("/srv/pullpass")
    assert set(config.keys) == {"identity", "registry-token", "exchange"}
    nodes = config.issuers["nodes"]
    assert (nodes.issuer, nodes.signing_key, nodes.insecure) == (ISSUER, "identity", False)
    assert nodes.roles["docker-pull"].allowed_audiences == (REGISTRY,)
    registry = config.registries[REGISTRY]
    assert (registry.provider, registry.exchange) == ("jfrog", "https://auth.example.com")
    assert registry.parameters == {"provider_name": "strongbox"}
    assert registry.key == f'registry."{REGISTRY}"'
    (entry,) = registry.credentials
    assert entry.repository == "*"
    assert entry.source == OwnIssuer(issuer="nodes", role="docker-pull")
    assert entry.key == f'registry."{REGISTRY}".credential[0]'
    service = config.services[REGISTRY]
    assert (service.token_ttl, service.exchange_ttl) == (300, 3600)
    assert (service.signing_key, service.exchange_key) == ("registry-token", "exchange")
    strongbox = config.connections["strongbox"]
    assert (strongbox.active, strongbox.audiences) == (True, (REGISTRY,))
    assert "ES256" in strongbox.algorithms
    assert not {name for name in strongbox.algorithms if name.startswith("HS")}
    (ruleset,) = strongbox.rulesets
    assert (ruleset.label, ruleset.username) == ("nodes", "puller")
    assert ruleset.actions == {"pull"}
    assert config.issuer_listener == Listener(
        host="127.0.0.1", port=8441, certificate=None, private_key=None
    )
    assert config.token_server_listener == Listener(
        host="::1",
        port=8442,
        certificate=Path("/etc/pullpass/tls.pem"),
        private_key=Path("/etc/pullpass/tls.key"),
    )


@pytest.mark.parametrize("table", TABLES, ids=spelled)
def test_an_unknown_setting_is_refused_by_its_dotted_name(table: Place) -> None:
    place = (*table, "nonsense")
    assert key_of(changed((place, "x"))) == spelled(place)


@pytest.mark.parametrize(
    "place",
    [
        (*NODES, "issuer"),
        (*NODES, "signing_key"),
        (*ROLE, "allowed_audiences"),
        (*ROLE, "subject_template"),
        (*ENTRY, "provider"),
        CREDENTIAL,
        (*FIRST, "issuer"),
        (*FIRST, "role"),
        (*LISTEN, "listen"),
        (*SERVICE, "issuer"),
        (*SERVICE, "signing_key"),
        (*SERVICE, "exchange_key"),
        (*STRONGBOX, "issuer"),
        (*STRONGBOX, "audiences"),
        (*RULESET, "label"),
        (*RULESET, "subject"),
        (*RULESET, "resources"),
        (*RULESET, "actions"),
    ],
    ids=spelled,
)
def test_what_is_needed_is_asked_for_by_its_dotted_name(place: Place) -> None:
    assert key_of(without(place)) == spelled(place)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("state_dir",), "state"),
        (("keys", "identity", "type"), "rsa-1024"),
        (("keys", "identity", "backend"), "paper"),
        ((*NODES, "issuer"), "http://id.example.com"),
        ((*NODES, "signing_key"), "lost"),
        ((*NODES, "max_ttl"), "0s"),
        ((*NODES, "default_ttl"), "2h"),
        ((*ROLE, "default_ttl"), "2h"),
        ((*ROLE, "max_ttl"), "4m"),
        ((*ROLE, "max_ttl"), "0s"),
        ((*ENTRY, "provider"), ""),
        ((*ENTRY, "exchange"), "https://auth.example.com/path"),
        ((*ENTRY, "insecure"), True),
        ((*ENTRY, "parameters", "provider_name"), 1),
        (CREDENTIAL, []),
        ((*FIRST, "repository"), ""),
        ((*FIRST, "issuer"), "lost"),
        ((*FIRST, "role"), "lost"),
        ((*LISTEN, "certificate"), "/etc/pullpass/tls.pem"),
        ((*SERVICE, "issuer"), "auth.example.com"),
        ((*SERVICE, "signing_key"), "lost"),
        ((*SERVICE, "exchange_key"), "lost"),
        ((*SERVICE, "exchange_key"), "registry-token"),
        ((*SERVICE, "exchange_key"), "identity"),
        (("connections", "strongbox", "issuer"), "https://auth.example.com"),
        (("connections", "strongbox", "issuer"), "https://auth.example.com/exchange"),
        ((*SERVICE, "token_ttl"), "59s"),
        ((*SERVICE, "exchange_ttl"), "4m59s"),
        ((*STRONGBOX, "audiences"), ["elsewhere.example.com"]),
        ((*STRONGBOX, "algorithms"), ["ES256", "HS256"]),
        ((*STRONGBOX, "algorithms"), ["none"]),
        ((*STRONGBOX, "active"), "yes"),
        ((*RULESET, "actions"), ["pull", "pwn"]),
        ((*RULESET, "resources"), ["team/*"]),
        ((*RULESET, "resources"), ["repository:"]),
    ],
    ids=lambda value: spelled(value) if isinstance(value, tuple) else repr(value)[:30],
)
def test_a_wrong_setting_is_refused_by_its_dotted_name(place: Place, value: object) -> None:
    assert key_of(changed((place, value))) == spelled(place)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Identity", "keys.Identity"),
        ("-a", "keys.-a"),
        ("a-", "keys.a-"),
        ("a" * 65, f"keys.{'a' * 65}"),
        ("a/b", 'keys."a/b"'),
        ("../a", 'keys."../a"'),
        ("", 'keys.""'),
        ("a\n", 'keys."a\n"'),
    ],
)
def test_a_name_is_good_for_a_file(name: str, key: str) -> None:
    with pytest.raises(ConfigError, match="is not a name") as refused:
        parsed({"keys": {name: {}}})
    assert refused.value.key == key


@pytest.mark.parametrize("name", ["a", "0", "a" * 64, "docker-pull", "a.b_c"])
def test_a_plain_name_is_taken(name: str) -> None:
    assert set(parsed({"keys": {name: {}}}).keys) == {name}


def test_an_entry_is_named_by_its_position() -> None:
    first = settings()["registry"][REGISTRY]["credential"][0]
    entries = [first, {"repository": "a", "issuer": "nodes", "role": "lost"}]
    assert key_of(changed((CREDENTIAL, entries))) == f'registry."{REGISTRY}".credential[1].role'


@pytest.mark.parametrize(
    "listen",
    [
        "",
        "8441",
        ":8441",
        "localhost",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:http",
        "localhost:" + "1" * 5000,
        "localhost:٨٤",
        "::1:8441",
        "[::1]",
        "[::1:8441",
        "http://localhost:8441",
        "local host:8441",
        "localhost:8441\n",
    ],
)
def test_a_listener_is_an_address_and_a_port(listen: str) -> None:
    assert key_of(changed(((*LISTEN, "listen"), listen))) == "serve.issuer.listen"


def test_a_certificate_needs_its_key() -> None:
    missing = without(("serve", "token-server", "private_key"))
    assert key_of(missing) == "serve.token-server.certificate"


def test_lifetimes_come_down_from_the_issuer_to_its_roles() -> None:
    values = changed(
        ((*NODES, "default_ttl"), "10m"),
        ((*NODES, "max_ttl"), "90d"),
        ((*NODES, "roles", "plain"), role()),
        ((*NODES, "roles", "short"), role(max_ttl="6m")),
        ((*NODES, "roles", "own"), role(default_ttl="7m", max_ttl="8m")),
        ((*NODES, "roles", "long"), role(max_ttl="1y")),
    )
    roles = parsed(values).issuers["nodes"].roles
    month = 90 * 86400
    assert {name: (one.default_ttl, one.max_ttl) for name, one in roles.items()} == {
        "docker-pull": (600, month),
        "plain": (600, month),
        "short": (360, 360),
        "own": (420, 480),
        "long": (600, month),
    }


def test_without_a_word_a_token_lives_five_minutes_and_an_hour_at_most() -> None:
    nodes = parsed(settings()).issuers["nodes"]
    pull = nodes.roles["docker-pull"]
    assert (nodes.default_ttl, nodes.max_ttl) == (300, 3600)
    assert (pull.default_ttl, pull.max_ttl) == (300, 3600)


def test_an_issuer_may_be_short_lived_where_no_pull_needs_it() -> None:
    table = {"issuer": ISSUER, "signing_key": "k", "max_ttl": "1m"}
    issuer = parsed({"keys": {"k": {}}, "issuers": {"i": table}}).issuers["i"]
    assert (issuer.default_ttl, issuer.max_ttl) == (60, 60)


def test_two_issuers_have_two_urls() -> None:
    nodes = settings()["issuers"]["nodes"]
    values = changed((("issuers", "others"), nodes))
    with pytest.raises(ConfigError, match=r"issuers\.nodes too") as refused:
        parsed(values)
    assert refused.value.key == "issuers.others.issuer"


def test_a_name_with_a_dot_is_quoted_in_its_key() -> None:
    nodes = settings()["issuers"]["nodes"]
    other = {**nodes, "issuer": f"{ISSUER}-2", "signing_key": "lost"}
    assert key_of(changed((("issuers", "a.b"), other))) == 'issuers."a.b".signing_key'
