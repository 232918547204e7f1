from pathlib import Path
from typing import Any, Final

import pytest

from fakes.issuing import Keys, Ledger, transit_key
from fakes.key_files import local
from fakes.settings import REGISTRY, changed, refusal_of
from fakes.settings import role as made
from pullpass.config.issuing import Role
from pullpass.config.parse import parse
from pullpass.errors import MintDenied
from pullpass.issuer.admission import Asking, Local, Proven, admit
from pullpass.issuer.mint import Minter
from pullpass.issuer.role import MintRequest
from pullpass.unix import Callers

NODE: Final = Proven(name="node:edge-17", node="edge-17", facts={"node": "edge-17"})
CI: Final = Proven(name="ci:cron", caller="ci", issuer="https://ci.example.com", subject="cron")
ROLES: Final = ("issuers", "nodes", "roles")
MINT: Final = (*ROLES, "docker-pull", "mint")


def role(*selectors: dict[str, Any]) -> Role:
    settings = changed(
        (("issuers", "nodes", "nodes"), {"edge-17": {"keys": [{"kty": "EC"}]}}),
        (
            ("issuers", "nodes", "callers"),
            {"ci": {"issuer": "https://ci.example.com", "subjects": ["*"]}},
        ),
        ((*ROLES, "r"), made(subject_template="${node}", mint=list(selectors))),
    )
    return parse(settings, Path("/nowhere")).issuers["nodes"].roles["r"]


def constraint(under: Role, asking: Asking, named: Callers | None = None) -> str:
    """Returns the constraint that says no, empty where none does."""
    try:
        admit(under, asking, named or Callers())
    except MintDenied as error:
        assert refusal_of(error).startswith("role r: ")
        return error.constraint
    return ""


def test_without_selectors_this_host_alone_may_mint() -> None:
    assert constraint(role(), Local(uid=1000)) == ""
    assert constraint(role(), Local()) == ""
    assert constraint(role(), NODE) == "mint"
    assert constraint(role(), CI) == "mint"


def test_selectors_are_read_literally_on_this_host_too() -> None:
    assert constraint(role({"node": "*"}), Local(uid=0)) == "mint"
    under = role({"uid": 0}, {"group": "docker"})
    named = Callers(uids=frozenset({0}), gids=frozenset({998}))
    assert constraint(under, Local(uid=0), named) == ""
    assert constraint(under, Local(uid=1000, gids=frozenset({100, 998})), named) == ""
    assert constraint(under, Local(uid=1000, gids=frozenset({100})), named) == "mint"
    assert constraint(under, Local(), named) == "mint"
    assert constraint(under, NODE, named) == "mint"


def test_a_node_and_a_caller_are_let_in_by_selectors_of_their_own() -> None:
    assert constraint(role({"node": "edge-*"}), NODE) == ""
    assert constraint(role({"node": "edge-*"}), CI) == "mint"
    assert constraint(role({"caller": "ci"}), CI) == ""
    assert constraint(role({"caller": "ci"}), NODE) == "mint"
    assert constraint(role({"node": "*-17"}), Proven(name="node:edge-18", node="edge-18")) == "mint"


def test_whoever_is_not_let_in_leaves_a_line_and_is_given_nothing() -> None:
    ledger = Ledger()
    settings = parse(changed((MINT, [{"uid": 0}])), Path("/nowhere"))
    minter = Minter(
        issuers=settings.issuers,
        keys=Keys({"identity": transit_key("identity")}),
        audit=ledger,
        asking=Local(uid=1000),
        local={("nodes", "docker-pull"): Callers(uids=frozenset({0}))},
    )
    asked = MintRequest(audiences=(REGISTRY,))
    with pytest.raises(MintDenied, match="uid 1000 may not mint"):
        local(minter.mint("nodes", "docker-pull", asked))
    with pytest.raises(MintDenied):
        minter.foresee("nodes", "docker-pull", asked)
    (record,) = ledger.records
    assert (record["decision"], record["constraint"]) == ("deny", "mint")
    assert record["caller"] == {"kind": "local", "uid": 1000}
