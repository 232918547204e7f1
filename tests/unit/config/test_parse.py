from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

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

toml_scalars = (
    st.text()
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.sampled_from([date.min, datetime.now(UTC).time(), datetime.now(UTC)])
    | st.sampled_from(["5m", "0s", "https://id.example.com", "127.0.0.1:1", "*", REGISTRY])
)
toml_names = st.text() | st.sampled_from(["keys", "issuers", "registry", "serve", "it", REGISTRY])
toml_values = st.recursive(
    toml_scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(toml_names, inner, max_size=3),
    max_leaves=6,
)


def parsed(values: dict[str, Any]) -> Config:
    return parse(values, STATE)


def key_of(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as refused:
        parsed(values)
    assert refusal_of(refused.value).startswith(refused.value.key)
    return refused.value.key


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yields where anything stands in value, value itself excepted."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for step, one in inner:
        yield (*place, step)
        if isinstance(one, dict | list):
            yield from places(one, (*place, step))


def spelled(place: Place) -> str:
    """Returns the dotted key of a place whose registry is REGISTRY."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).removeprefix(".").replace(REGISTRY, f'"{REGISTRY}"')


PLACES: Final = tuple(places(settings()))
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


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("https://reg.example.com", "write reg.example.com"),
        ("reg.example.com/team", "write reg.example.com"),
        ("https://reg.example.com:5000/v2/", "write reg.example.com:5000"),
        ("puller@reg.example.com", "without a user name"),
        ("reg.example.com ", "without white space"),
        ("*.example.com", "a domain"),
        ("", "host"),
    ],
)
def test_a_registry_is_an_address_and_nothing_more(written: str, advice: str) -> None:
    values = changed((("registry", written), settings()["registry"][REGISTRY]))
    with pytest.raises(ConfigError, match=advice) as refused:
        parsed(values)
    assert refused.value.key == f'registry."{written}"'


def test_a_registry_under_two_spellings_is_refused_with_both() -> None:
    table = settings()["registry"][REGISTRY]
    values = changed(
        (("registry", "docker.io"), table), (("registry", "index.docker.io"), dict(table))
    )
    with pytest.raises(ConfigError, match=r'same registry as registry\."docker\.io"') as refused:
        parsed(values)
    assert refused.value.key == 'registry."index.docker.io"'


def test_docker_hub_has_one_address() -> None:
    table = settings()["registry"][REGISTRY]
    config = parsed(changed((("registry", "index.docker.io"), table)))
    assert config.registries["docker.io"].key == 'registry."index.docker.io"'


def test_a_port_is_part_of_the_registry() -> None:
    table = settings()["registry"][REGISTRY]
    config = parsed(changed((("registry", f"{REGISTRY}:5000"), table)))
    assert set(config.registries) == {REGISTRY, f"{REGISTRY}:5000"}


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1:5000", "[::1]", "[::1]:5000"])
def test_plain_http_is_for_a_registry_on_loopback(address: str) -> None:
    table = {**settings()["registry"][REGISTRY], "insecure": True}
    del table["exchange"]
    registry = parsed(changed((("registry", address), table))).registries[address]
    assert (registry.insecure, registry.exchange) == (True, "")


def test_the_exchange_is_the_providers_unless_it_is_named() -> None:
    config = parsed(without((*ENTRY, "exchange")))
    assert config.registries[REGISTRY].exchange == ""


@pytest.mark.parametrize(
    ("more", "message"),
    [({"repository": "*"}, "repository twice"), ({"repository": "a"}, "host_default twice")],
)
def test_two_entries_may_not_answer_alike(more: dict[str, Any], message: str) -> None:
    first = settings()["registry"][REGISTRY]["credential"][0]
    entries = [{**first, "host_default": True}, {**first, "host_default": True, **more}]
    with pytest.raises(ConfigError, match=message) as refused:
        parsed(changed((CREDENTIAL, entries)))
    assert refused.value.key == f'registry."{REGISTRY}".credential'


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


def parsed_or_refused(values: dict[str, Any]) -> None:
    try:
        config = parsed(values)
    except ConfigError as error:
        assert error.key
        refusal_of(error)
    else:
        assert config.state_dir.is_absolute()


@given(st.dictionaries(toml_names, toml_values, max_size=4))
def test_any_toml_is_a_configuration_or_a_config_error(values: dict[str, Any]) -> None:
    parsed_or_refused(values)


@limits(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(PLACES), toml_values), min_size=1, max_size=2))
def test_settings_with_anything_anywhere_are_a_configuration_or_a_config_error(
    changes: list[tuple[Place, Any]],
) -> None:
    values = settings()
    for place, value in changes:
        put(values, place, value)
    parsed_or_refused(values)


@given(st.sampled_from(PLACES), toml_names, toml_values)
def test_a_setting_more_anywhere_is_a_configuration_or_a_config_error(
    place: Place, name: str, value: object
) -> None:
    values = settings()
    put(values, (*place[:-1], name), value)
    parsed_or_refused(values)


def put(values: Any, place: Place, value: object) -> None:
    """Sets value at place, unless an earlier change took its table or list away."""
    *above, last = place
    with suppress(KeyError, IndexError, TypeError):
        for step in above:
            values = values[step]
        values[last] = value
