"""Settings of who may mint: users of this host, enrolled nodes and trusted issuers. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from pullpass.config.agent import LOCAL, read_caller
from pullpass.config.callers import STATED, Caller
from pullpass.config.issuing import EnrolledNode, OutsideCaller, Role, Selector
from pullpass.config.reader import Table
from pullpass.errors import ConfigError

ALGORITHMS: Final = ("ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512")
MAX_NODE_KEYS: Final = 5  # of one node; two while one succeeds the other
MINTS_PER_MINUTE: Final = 600  # of one caller
_NODE: Final = "${node}"
# Without what separates the parts of a subject: of two nodes none can have the other's.
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def read_nodes(table: Table) -> dict[str, EnrolledNode]:
    """Takes ``[issuers.NAME.nodes.NODE]``. Raises: ConfigError."""
    found = {}
    for name, inner in table.each():
        if not _NAME.fullmatch(name):
            raise table.error(name, "is no name of a host: use letters, digits and ._-")
        keys = tuple(_key(one) for one in inner.tables("keys"))
        if not 0 < len(keys) <= MAX_NODE_KEYS:
            raise inner.error("keys", f"takes 1 to {MAX_NODE_KEYS} keys: `pullpass node-key show`")
        found[name] = EnrolledNode(
            name=name, keys=keys, offline=inner.flag("offline", default=False), key=inner.key
        )
        inner.done()
    return found


def _key(table: Table) -> Mapping[str, str]:
    members = table.rest()
    if not all(isinstance(value, str) for value in members.values()):
        raise ConfigError("takes the members of a public JWK, which are texts", key=table.key)
    return members


def read_callers(table: Table) -> dict[str, OutsideCaller]:
    """Takes ``[issuers.NAME.callers.CALLER]``. Raises: ConfigError."""
    found = {}
    for name, inner in table.each():
        insecure = inner.flag("insecure", default=False)
        caller = OutsideCaller(
            name=name,
            issuer=inner.url("issuer", insecure=insecure),
            subjects=inner.texts("subjects"),
            algorithms=inner.texts("algorithms", ALGORITHMS),
        )
        if unknown := set(caller.algorithms) - set(ALGORITHMS):
            raise inner.error("algorithms", f"holds {min(unknown)}: use {', '.join(ALGORITHMS)}")
        if not caller.subjects:
            raise inner.error("subjects", "is empty: name whom to believe")
        inner.done()
        found[name] = caller
    return found


def read_selectors(table: Table) -> tuple[Selector | Caller, ...]:
    """Takes ``mint`` of a role. Raises: ConfigError."""
    found: list[Selector | Caller] = []
    for inner in table.tables("mint"):
        if any(inner.has(name) for name in LOCAL):
            found.append(read_caller(inner))
            continue
        one = Selector(
            node=inner.text("node", ""),
            caller=inner.text("caller", ""),
            facts=read_facts(inner),
        )
        inner.done()
        if bool(one.node) == bool(one.caller):
            raise table.error(
                "mint", 'takes { node = "worker-*" }, { caller = "NAME" } or { group = "docker" }'
            )
        found.append(one)
    return tuple(found)


def read_facts(table: Table) -> tuple[str, ...]:
    """Takes ``facts``, none if it is not there. Raises: ConfigError."""
    facts = table.texts("facts", ())
    if unknown := set(facts) - set(STATED):
        raise table.error("facts", f"holds {min(unknown)}: use {', '.join(STATED)}")
    return facts


def check_selectors(table: Table, role: Role, callers: Collection[str]) -> None:
    """Holds that role's callers are there, and that no node can pass for another.

    A selector may fit no node: the last one that it fitted may just have been taken out.

    Raises:
        ConfigError: if not.
    """
    for selector in role.mint:
        if isinstance(selector, Caller):
            continue
        if selector.caller and selector.caller not in callers:
            raise table.error("mint", f"names {selector.caller}, which is none of the callers")
        if selector.node and _NODE not in role.subject_template:
            raise table.error(
                "subject_template", f"lacks {_NODE}: a stolen node could mint as any other"
            )
