import json
from pathlib import Path

import pytest

from fakes.key_files import KeyFiles
from fakes.settings import REGISTRY, changed, role
from pullpass.config.model import Config
from pullpass.config.parse import parse
from pullpass.errors import CredentialNotFound, IdentityError
from pullpass.identity.facts import process_facts
from pullpass.resolve.choose import Query
from pullpass.resolve.here import minter_of, resolve_here

QUERY = Query(registry=REGISTRY, facts={"node": "claimed"})


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Returns settings whose provider asks nobody, so that nothing leaves this process."""
    return parse(
        changed(
            (("state_dir",), str(tmp_path / "state")),
            (("registry", REGISTRY, "provider"), "passthrough"),
            (("registry", REGISTRY, "parameters"), {}),
            (("issuers", "nodes", "roles", "docker-pull"), role(subject_template="${node}")),
        ),
        tmp_path,
    )


def test_this_process_resolves_with_its_own_key_audit_and_facts(config: Config) -> None:
    KeyFiles(directory=config.state_dir / "keys").create("identity")
    found = resolve_here(config, QUERY)
    assert found.identity
    assert found.identity.said.claims["sub"] == process_facts()["node"]
    assert found.credential.secret == found.identity.token
    (line,) = (config.state_dir / "audit.jsonl").read_text().splitlines()
    assert json.loads(line)["jti"] == found.identity.said.claims["jti"]


def test_a_pull_creates_no_key(config: Config) -> None:
    with pytest.raises(IdentityError, match="pullpass key create identity"):
        resolve_here(config, QUERY)
    assert not (config.state_dir / "keys").exists()


def test_a_foreign_registry_leaves_nothing_on_the_disk(config: Config) -> None:
    with pytest.raises(CredentialNotFound):
        resolve_here(config, Query(registry="foreign.example.com"))
    assert not config.state_dir.exists()


def test_the_minter_knows_the_configured_issuers(config: Config) -> None:
    assert minter_of(config).issuers == config.issuers
