"""Resolves in this process: its own keys, its own connections."""

import os
from collections.abc import Mapping
from dataclasses import replace

from pullpass.config.callers import Caller
from pullpass.config.model import Config
from pullpass.config.network import network_of
from pullpass.http import run
from pullpass.identity.edge import LocalEdge
from pullpass.identity.facts import process_facts
from pullpass.issuer.admission import Local
from pullpass.issuer.audit import audit_of
from pullpass.issuer.mint import Minter
from pullpass.keys.stores import keys_of
from pullpass.resolve.choose import Query
from pullpass.resolve.flow import Resolved, resolve
from pullpass.transport import HttpTransport
from pullpass.unix import callers_of


def minter_of(config: Config) -> Minter:
    """Returns the minter of the configured issuers, with their keys and audit, for this process.

    Raises:
        ConfigError: if a role lets a user mint who is none of this host.
    """
    return Minter(
        issuers=config.issuers,
        keys=keys_of(config),
        audit=audit_of(config),
        asking=this_process(),
        local={
            (issuer.name, role.name): callers_of(named)
            for issuer in config.issuers.values()
            for role in issuer.roles.values()
            if (named := [one for one in role.mint if isinstance(one, Caller)])
        },
    )


def this_process() -> Local:
    """Returns who this process is."""
    if not hasattr(os, "geteuid"):
        return Local()
    return Local(uid=os.geteuid(), gids=frozenset({os.getegid(), *os.getgroups()}))


def resolve_here(config: Config, query: Query, environ: Mapping[str, str] = os.environ) -> Resolved:
    """Returns the credential for query, asked for by this process, whose environment is environ.

    Raises:
        PullpassError: as ``resolve``.
    """
    with HttpTransport(network_of(config)) as transport:
        asked = replace(query, facts={**query.facts, **process_facts()})
        return run(resolve(config, minter_of(config), asked, environ), LocalEdge(transport))
