from pathlib import Path

import pytest

from fakes.issuing import Keys, Ledger, transit_key
from fakes.key_files import local
from fakes.settings import ISSUER, REGISTRY, changed, role
from pullpass.config.model import PULL_TTL, OwnIssuer
from pullpass.config.parse import parse
from pullpass.errors import MintDenied
from pullpass.identity.own import mint_for_pull
from pullpass.issuer.mint import Minter


def minter() -> Minter:
    long_lived = role(default_ttl="30m", subject_template="node:${node}")
    values = changed((("issuers", "nodes", "roles", "by-node"), long_lived))
    return Minter(
        issuers=parse(values, Path("/nowhere")).issuers,
        keys=Keys({"identity": transit_key("identity")}),
        audit=Ledger(),
    )


def source(name: str) -> OwnIssuer:
    return OwnIssuer(issuer="nodes", role=name)


def test_the_token_of_a_pull_is_for_its_registry_and_lives_five_minutes() -> None:
    flow = mint_for_pull(minter(), source("by-node"), REGISTRY, {"node": "worker-1"})
    claims = local(flow).said.claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, REGISTRY, "node:worker-1")
    assert claims["exp"] - claims["iat"] == PULL_TTL == 300


def test_each_pull_has_a_token_of_its_own() -> None:
    one = minter()
    first, second = (
        local(mint_for_pull(one, source("docker-pull"), REGISTRY, {})) for _ in range(2)
    )
    assert first.said.claims["jti"] != second.said.claims["jti"]
    assert first.token != second.token


def test_a_role_denies_another_registry() -> None:
    with pytest.raises(MintDenied, match="is not allowed"):
        local(mint_for_pull(minter(), source("docker-pull"), "evil.org", {}))
