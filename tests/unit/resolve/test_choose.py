from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.settings import refusal_of
from pullpass.config.model import Config, CredentialEntry, OwnIssuer, Registry
from pullpass.errors import ConfigError, CredentialNotFound, UsageError
from pullpass.glob import matches
from pullpass.resolve.choose import Query, choose, find, find_registry

ADDRESS: Final = "reg.example.com"


def registry(
    *patterns: str, address: str = ADDRESS, default: str = "", insecure: bool = False
) -> Registry:
    return Registry(
        address=address,
        provider="jfrog",
        exchange="",
        parameters={},
        insecure=insecure,
        credentials=tuple(
            CredentialEntry(
                repository=pattern,
                source=OwnIssuer(issuer="nodes", role="docker-pull"),
                host_default=pattern == default,
                key=f"entry {pattern}",
            )
            for pattern in patterns
        ),
        key=f'registry."{address}"',
    )


def config(*registries: Registry) -> Config:
    return Config(state_dir=Path("/nowhere"), registries={one.address: one for one in registries})


@pytest.mark.parametrize(
    ("patterns", "repository", "expected"),
    [
        (["*"], "team/app", "*"),
        (["*", "team/*"], "team/app", "team/*"),
        (["team/*", "*"], "team/app", "team/*"),
        (["*", "team/*", "team/app"], "team/app", "team/app"),
        (["team/app*", "team/app"], "team/app", "team/app"),
        (["team/app*", "team/app"], "team/app2", "team/app*"),
        (["team/*", "team/ap?"], "team/app", "team/ap?"),
        (["team/*", "*/app"], "team/app", "team/*"),
        (["*", "team/*"], "other/app", "*"),
        (["*", "team/*"], "team", "*"),
        (["team/*"], "team/deep/app", "team/*"),
        (["team/*", "team/deep/*"], "team/deep/app", "team/deep/*"),
    ],
)
def test_the_most_specific_entry_answers(
    patterns: list[str], repository: str, expected: str
) -> None:
    assert choose(registry(*patterns), repository).repository == expected


@given(
    st.lists(st.text("ab/*?", min_size=1, max_size=5), min_size=1, max_size=5, unique=True),
    st.text("ab/", min_size=1, max_size=5),
)
def test_who_answers_covers_the_repository_and_an_exact_entry_always_wins(
    patterns: list[str], repository: str
) -> None:
    covering = [pattern for pattern in patterns if matches(pattern, repository)]
    try:
        chosen = choose(registry(*patterns), repository).repository
    except CredentialNotFound:
        assert not covering
    else:
        assert chosen in covering
        assert repository not in covering or chosen == repository


def test_a_repository_that_no_entry_covers_is_not_found() -> None:
    with pytest.raises(CredentialNotFound, match="no entry covers other/app") as missing:
        choose(registry("team/*", "ops/*"), "other/app")
    assert ADDRESS in refusal_of(missing.value)


def test_the_default_of_a_host_is_not_that_of_its_repositories() -> None:
    with pytest.raises(CredentialNotFound):
        choose(registry("team/*", default="team/*"), "other/app")


@pytest.mark.parametrize(
    ("patterns", "default", "expected"),
    [
        (["*"], "", "*"),
        (["team/*", "*"], "", "*"),
        (["team/*", "*"], "team/*", "team/*"),
        (["*", "team/*"], "team/*", "team/*"),
        (["team/*"], "team/*", "team/*"),
    ],
)
def test_for_a_host_its_default_answers_else_the_entry_for_all(
    patterns: list[str], default: str, expected: str
) -> None:
    assert choose(registry(*patterns, default=default), None).repository == expected


@pytest.mark.parametrize("patterns", [["team/*"], ["team/*", "ops/*"], ["team/app"]])
def test_a_credential_for_a_part_is_never_handed_out_for_the_whole_host(
    patterns: list[str],
) -> None:
    with pytest.raises(ConfigError, match="host_default") as ambiguous:
        choose(registry(*patterns), None)
    assert ambiguous.value.key == f'registry."{ADDRESS}".credential'
    assert all(pattern in refusal_of(ambiguous.value) for pattern in patterns)


@pytest.mark.parametrize(
    ("configured", "asked"),
    [
        (ADDRESS, ADDRESS),
        (ADDRESS, f"{ADDRESS}:443"),
        (f"{ADDRESS}:443", ADDRESS),
        (f"{ADDRESS}:443", f"{ADDRESS}:443"),
        ("[2001:db8::1]", "[2001:db8::1]:443"),
        ("[2001:db8::1]:443", "[2001:db8::1]"),
        (f"{ADDRESS}:5000", f"{ADDRESS}:5000"),
    ],
)
def test_the_port_of_https_may_be_left_out(configured: str, asked: str) -> None:
    wanted = registry("*", address=configured)
    assert find_registry(config(wanted), asked) is wanted


def test_what_is_written_exactly_so_comes_first() -> None:
    plain, with_port = registry("*"), registry("*", address=f"{ADDRESS}:443")
    both = config(plain, with_port)
    assert find_registry(both, ADDRESS) is plain
    assert find_registry(both, f"{ADDRESS}:443") is with_port


@pytest.mark.parametrize(
    "asked",
    [
        f"{ADDRESS}:5000",
        f"{ADDRESS}:80",
        f"{ADDRESS}:4430",
        f"{ADDRESS}:443:443",
        "example.com",
        f"a.{ADDRESS}",
        "REG.example.com",
        "docker.io",
        "",
        ":443",
    ],
)
def test_another_address_is_not_found(asked: str) -> None:
    with pytest.raises(CredentialNotFound, match="is not configured"):
        find_registry(config(registry("*")), asked)


def test_nothing_is_found_where_nothing_is_configured() -> None:
    with pytest.raises(CredentialNotFound):
        find(config(), Query(registry=ADDRESS, plaintext=True))


def test_a_query_finds_its_registry_and_its_entry() -> None:
    wanted = registry("*", "team/*")
    found, entry = find(config(wanted), Query(registry=ADDRESS, repository="team/app"))
    assert (found, entry.repository) == (wanted, "team/*")


@pytest.mark.parametrize("repository", [None, "team/app"])
def test_a_credential_does_not_travel_in_plain_http(repository: str | None) -> None:
    query = Query(registry=ADDRESS, repository=repository, plaintext=True)
    with pytest.raises(UsageError, match="use https") as refused:
        find(config(registry("*")), query)
    assert f'registry."{ADDRESS}".insecure' in refusal_of(refused.value)


def test_plain_http_is_for_a_registry_that_was_marked() -> None:
    marked = registry("*", address="127.0.0.1:5000", insecure=True)
    query = Query(registry="127.0.0.1:5000", plaintext=True)
    assert find(config(marked), query)[0] is marked
