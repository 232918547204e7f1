import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.issuing import Keys, Ledger, transit_key
from fakes.key_files import local
from fakes.settings import REGISTRY, Place, changed, refusal_of, role
from pullpass.claims import read_token
from pullpass.config.parse import parse
from pullpass.errors import IdentityError, KeyStoreError, MintDenied
from pullpass.issuer.mint import Minter
from pullpass.issuer.role import MintRequest
from pullpass.relying import verify

NOW: Final = 1_800_000_000.5
REQUEST: Final = MintRequest(audiences=(REGISTRY,))
ROLES: Final = ("issuers", "nodes", "roles")


def minter(ledger: Ledger, keys: Keys | None = None, *changes: tuple[Place, Any]) -> Minter:
    return Minter(
        issuers=parse(changed(*changes), Path("/nowhere")).issuers,
        keys=keys or Keys({"identity": transit_key("identity")}),
        audit=ledger,
        now=lambda: NOW,
    )


def test_a_token_is_signed_by_the_active_version() -> None:
    key = transit_key("identity", "retiring", "active", "published")
    minted = local(minter(Ledger(), Keys({"identity": key})).mint("nodes", "docker-pull", REQUEST))
    active = key.versions[1]
    assert verify(minted.token, active.public) == minted.claims
    token = read_token(minted.token.reveal())
    assert token.header == {"alg": "ES256", "typ": "JWT", "kid": active.kid}
    assert minted.kid == active.kid


def test_a_token_says_what_its_role_allows_and_nothing_more() -> None:
    minted = local(minter(Ledger()).mint("nodes", "docker-pull", REQUEST))
    assert set(minted.claims) == {"iss", "sub", "aud", "iat", "nbf", "exp", "jti"}
    assert (minted.claims["sub"], minted.claims["aud"]) == ("registry-pull", REGISTRY)
    assert minted.claims["exp"] == int(NOW) + 300


def test_every_token_has_an_id_of_128_random_bits() -> None:
    ids = {
        local(minter(Ledger()).mint("nodes", "docker-pull", REQUEST)).claims["jti"]
        for _ in range(50)
    }
    assert len(ids) == 50
    assert all(re.fullmatch("[A-Za-z0-9_-]{22,}", one) for one in ids)  # 6 bits a character


def test_a_token_leaves_one_line_that_names_it_and_does_not_hold_it() -> None:
    ledger = Ledger()
    minted = local(minter(ledger).mint("nodes", "docker-pull", REQUEST))
    (record,) = ledger.records
    assert record == {
        "time": int(NOW),
        "event": "mint",
        "decision": "allow",
        "issuer": "nodes",
        "role": "docker-pull",
        "sub": "registry-pull",
        "aud": REGISTRY,
        "caller": {"kind": "local"},
        "alg": "ES256",
        "exp": int(NOW) + 300,
        "jti": minted.claims["jti"],
        "kid": minted.kid,
        "token_sha256": sha256(minted.token.reveal().encode()).hexdigest(),
    }
    assert minted.token.reveal() not in repr(ledger.records)


@pytest.mark.parametrize(
    ("issuer", "name", "request_", "reason"),
    [
        ("lost", "docker-pull", REQUEST, "there is no issuer lost"),
        ("nodes", "lost", REQUEST, "issuer nodes has no role lost"),
        ("nodes", "docker-pull", MintRequest(audiences=("evil.org",)), "evil.org is not allowed"),
        ("nodes", "docker-pull", MintRequest(), "no audience"),
        ("nodes", "docker-pull", MintRequest(audiences=(REGISTRY,), ttl=3601), "3601s"),
        ("nodes", "by-node", REQUEST, "${node}"),
    ],
)
def test_a_denial_leaves_one_line_with_its_reason(
    issuer: str, name: str, request_: MintRequest, reason: str
) -> None:
    ledger = Ledger()
    by_node = ((*ROLES, "by-node"), role(subject_template="${node}"))
    with pytest.raises(MintDenied) as denied:
        local(minter(ledger, None, by_node).mint(issuer, name, request_))
    assert reason in refusal_of(denied.value)
    (record,) = ledger.records
    assert record == {
        "time": int(NOW),
        "event": "mint",
        "decision": "deny",
        "issuer": issuer,
        "role": name,
        "aud": list(request_.audiences),
        "caller": {"kind": "local"},
        "constraint": denied.value.constraint,
        "reason": str(denied.value),
    }


def test_a_key_that_cannot_be_had_leaves_a_line_too() -> None:
    ledger = Ledger()
    with pytest.raises(KeyStoreError):
        local(minter(ledger, Keys()).mint("nodes", "docker-pull", REQUEST))
    assert [record["decision"] for record in ledger.records] == ["deny"]


def test_a_key_without_an_active_version_signs_nothing() -> None:
    ledger = Ledger()
    keys = Keys({"identity": transit_key("identity", "published", "retiring")})
    with pytest.raises(KeyStoreError, match="active"):
        local(minter(ledger, keys).mint("nodes", "docker-pull", REQUEST))
    assert [record["decision"] for record in ledger.records] == ["deny"]


def test_where_no_line_can_be_written_nothing_is_minted() -> None:
    with pytest.raises(IdentityError, match="nothing is minted") as refused:
        local(minter(Ledger(room=0)).mint("nodes", "docker-pull", REQUEST))
    assert not isinstance(refused.value, MintDenied)


def test_where_no_line_can_be_written_nothing_is_denied_in_silence_either() -> None:
    with pytest.raises(IdentityError, match="the ledger is full"):
        local(minter(Ledger(room=0)).mint("nodes", "lost", REQUEST))


def test_what_was_minted_does_not_print_the_token() -> None:
    minted = local(minter(Ledger()).mint("nodes", "docker-pull", REQUEST))
    assert minted.token.reveal() not in f"{minted!r} {minted}"


def test_with_verbose_logging_a_line_tells_all_that_was_asked() -> None:
    asked = MintRequest(audiences=(REGISTRY,), claims={"ref": "dev"}, ttl=60, facts={"node": "w1"})
    told = {"sub": "", "claims": {"ref": "dev"}, "ttl": 60}
    for at in ((*ROLES, "docker-pull", "verbose_logging"), ("issuers", "nodes", "verbose_logging")):
        ledger = Ledger()
        with pytest.raises(MintDenied):
            local(minter(ledger, None, (at, True)).mint("nodes", "docker-pull", asked))
        (record,) = ledger.records
        assert (record["asked"], record["caller"]) == (told, {"node": "w1", "kind": "local"})
        assert record["constraint"] == "allowed_claims"
    ledger = Ledger()
    with pytest.raises(MintDenied):
        local(minter(ledger).mint("nodes", "docker-pull", asked))
    assert "asked" not in ledger.records[0]


def test_what_would_be_minted_is_foreseen_without_a_line_or_a_key() -> None:
    ledger = Ledger()
    foreseen = minter(ledger, Keys()).foresee("nodes", "docker-pull", REQUEST)
    assert foreseen["sub"] == "registry-pull"
    with pytest.raises(MintDenied):
        minter(ledger).foresee("nodes", "lost", REQUEST)
    assert ledger.records == []


def test_an_issuer_that_signed_under_another_url_signs_nothing() -> None:
    ledger = Ledger()
    key = replace(transit_key("identity"), issuers={"nodes": "https://before.example.com"})
    with pytest.raises(KeyStoreError, match="has signed as https://before"):
        local(minter(ledger, Keys({"identity": key})).mint("nodes", "docker-pull", REQUEST))
    (record,) = ledger.records
    assert (record["decision"], record["constraint"]) == ("deny", "signing_key")
