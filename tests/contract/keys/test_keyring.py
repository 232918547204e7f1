"""A signing key in the keyring of a desktop, for real: a command each, as a person gives them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.stores import Store, desktop_keyring, locked

SETTINGS = """
state_dir = "{state}"
[keys.k]
type = "ed25519"
{more}
[issuers.me]
issuer = "https://id.example.com/me"
signing_key = "k"
[issuers.me.roles.pull]
allowed_audiences = ["registry.example.com"]
subject_template = "me"
"""
MINT = ("mint", "--issuer", "me", "--role", "pull", "--audience", "registry.example.com", "--json")


@pytest.fixture(scope="module")
def keyring() -> Iterator[Store]:
    with desktop_keyring() as store:
        yield store


def pullpass(store: Store, config: Path, *arguments: str) -> tuple[int, str, str]:
    return store.run(["pullpass", *arguments], PULLPASS_CONFIG=str(config))


def test_a_key_is_created_rotated_and_signs_and_no_half_of_it_is_in_a_file(
    keyring: Store, tmp_path: Path
) -> None:
    config, state = tmp_path / "config.toml", tmp_path / "state"
    config.write_text(SETTINGS.format(state=state, more='backend = "keyring"'))
    assert pullpass(keyring, config, "key", "create", "k")[0] == 0
    assert pullpass(keyring, config, "key", "rotate", "k", "--emergency")[0] == 0
    _, out, _ = pullpass(keyring, config, "key", "list", "--json")
    states = [one["state"] for one in json.loads(out.splitlines()[-1])["versions"]]
    assert states == ["retiring", "active"]
    status, out, err = pullpass(keyring, config, *MINT)
    assert status == 0, err
    assert json.loads(out.splitlines()[-1])["claims"]["iss"] == "https://id.example.com/me"
    assert sorted(path.name for path in state.rglob("*")) == ["audit.jsonl", "keys"]


def test_a_keyring_that_nobody_unlocked_is_a_clear_error(keyring: Store, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(SETTINGS.format(state=tmp_path / "state", more='backend = "keyring"'))
    status, out, err = pullpass(locked(keyring), config, *MINT)
    assert status == 77
    assert "jwt" not in out
    assert "key k: " in err
    assert "Traceback" not in err
