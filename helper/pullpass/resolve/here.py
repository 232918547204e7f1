"""Resolves in this process: its own keys, its own connections."""

import os
from collections.abc import Mapping
from dataclasses import replace

from pullpass.config.model import Config
from pullpass.config.network import network_of
from pullpass.http import run
from pullpass.identity.edge import LocalEdge
from pullpass.identity.facts import process_facts
from pullpass.issuer.audit import audit_of
from pullpass.issuer.mint import Minter
from pullpass.keys.stores import keys_of
from pullpass.resolve.choose import Query
from pullpass.resolve.flow import Resolved, resolve
from pullpass.transport import HttpTransport


def minter_of(config: Config) -> Minter:
    """Returns the minter of the configured issuers, with their keys and audit."""
    return Minter(
        issuers=config.issuers,
        keys=keys_of(config),
        audit=audit_of(config),
    )


def resolve_here(config: Config, query: Query, environ: Mapping[str, str] = os.environ) -> Resolved:
    """Returns the credential for query, asked for by this process, whose environment is environ.

    Raises:
        PullpassError: as ``resolve``.
    """
    with HttpTransport(network_of(config)) as transport:
        asked = replace(query, facts={**query.facts, **process_facts()})
        return run(resolve(config, minter_of(config), asked, environ), LocalEdge(transport))
