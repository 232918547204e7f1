import json

import pytest

from fakes.key_files import KeyFiles
from fakes.node import Node
from pullpass.claims import read_token
from pullpass.relying import verify
from pullpass.secret import Secret

MINT = ("mint", "--issuer", "nodes", "--role", "docker-pull", "--audience", "registry.example.com")


def test_the_token_alone_is_printed(ready: Node) -> None:
    minted = ready.pullpass(*MINT)
    assert (minted.status, minted.err) == (0, "")
    key = KeyFiles(directory=ready.state / "keys").load("identity").active.local
    claims = verify(Secret(minted.out.strip()), key.public)
    assert (claims["sub"], claims["aud"]) == ("registry-pull", "registry.example.com")
    assert claims["exp"] - claims["iat"] == 300
    assert minted.out.count("\n") == 1


def test_a_script_reads_json(ready: Node) -> None:
    printed = json.loads(ready.pullpass(*MINT, "--json").out)
    assert printed.keys() == {"jwt", "claims"}
    assert read_token(printed["jwt"]).claims == printed["claims"]


@pytest.mark.parametrize("ttl", ["1800", "30m", "29m60s"])
def test_lifetime_and_audiences_are_asked_for(ready: Node, ttl: str) -> None:
    more = ("--ttl", ttl, "--audience", "127.0.0.1:5000", "--json")
    claims = json.loads(ready.pullpass(*MINT, *more).out)["claims"]
    assert claims["exp"] - claims["iat"] == 1800
    assert claims["aud"] == ["registry.example.com", "127.0.0.1:5000"]


def test_every_attempt_leaves_a_line_without_the_token(ready: Node) -> None:
    minted = ready.pullpass(*MINT)
    ready.pullpass(*MINT, "--audience", "evil.org")
    text = (ready.state / "audit.jsonl").read_text()
    assert [json.loads(line)["decision"] for line in text.splitlines()] == ["allow", "deny"]
    assert minted.out.strip() not in text
    assert minted.out.strip().rpartition(".")[2] not in text


def test_a_dry_run_says_what_a_token_would_hold_and_makes_none(ready: Node) -> None:
    dry = ready.pullpass(*MINT, "--validate", "--json")
    claims = json.loads(dry.out)["claims"]
    assert (dry.status, dry.err, claims["sub"]) == (0, "", "registry-pull")
    assert not (ready.state / "audit.jsonl").exists()
    denied = ready.pullpass(*MINT, "--validate", "--claim", "env=prod")
    assert (denied.status, denied.out) == (77, "")
    assert "claim env is not the caller's to say" in denied.err
    assert not (ready.state / "audit.jsonl").exists()


@pytest.mark.parametrize("claim", ["env", "=prod", ""])
def test_a_claim_has_a_name_and_a_value(ready: Node, claim: str) -> None:
    failed = ready.pullpass(*MINT, "--claim", claim)
    assert (failed.status, failed.out) == (64, "")
