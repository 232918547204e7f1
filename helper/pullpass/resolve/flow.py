"""The way from a query to a credential, as requests to be sent."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pullpass.config.model import Config, CredentialEntry, Registry
from pullpass.credential import Credential
from pullpass.errors import IdentityError, KeyStoreError
from pullpass.exchange import catalog
from pullpass.exchange.engine import Place, audience, exchange
from pullpass.exchange.spec import Spec
from pullpass.http import Flow
from pullpass.identity.own import claims_for_pull, mint_for_pull
from pullpass.issuer.mint import Minted, Minter
from pullpass.resolve.choose import Query, find


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which entry answers a query, and how. Nothing was asked of anybody yet."""

    registry: Registry
    entry: CredentialEntry
    spec: Spec
    place: Place
    audience: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A credential and how it came about."""

    plan: Plan
    identity: Minted
    credential: Credential


def plan(config: Config, query: Query) -> Plan:
    """Returns the entry that answers query.

    Raises:
        CredentialNotFound: if none speaks of the registry, or of the repository.
        ConfigError: if the entry cannot work, or several could answer for the bare host.
        UsageError: if a credential would travel in plain http.
    """
    registry, entry = find(config, query)
    spec = catalog.load(registry.provider, config.providers, f"{registry.key}.provider")
    place = Place(
        registry=registry.address,
        exchange=registry.exchange,
        insecure=registry.insecure,
        entry=registry.key,
    )
    asked = audience(spec, registry.parameters, place)
    return Plan(registry=registry, entry=entry, spec=spec, place=place, audience=asked)


def resolve(
    config: Config, minter: Minter, query: Query, now: Callable[[], float] = time.time
) -> Flow[Resolved]:
    """Yields the requests of the exchange and returns the credential for query.

    Raises:
        CredentialNotFound, ConfigError, UsageError: as ``plan``.
        IdentityError: if no identity can be had.
        ExchangeError: if the exchange gives no credential.
    """
    chosen = plan(config, query)
    identity = yield from identify(minter, chosen, query.facts)
    credential = yield from trade(chosen, identity, now)
    return Resolved(plan=chosen, identity=identity, credential=credential)


def identify(minter: Minter, chosen: Plan, facts: Mapping[str, str]) -> Flow[Minted]:
    """Yields requests and returns the identity that is shown for chosen, for whoever facts prove.

    Raises:
        IdentityError: if none can be had.
    """
    registry = chosen.registry.address
    known = {**facts, "registry": registry}
    try:
        return (yield from mint_for_pull(minter, chosen.entry, chosen.audience, known))
    except (IdentityError, KeyStoreError) as error:  # keys and issuers know of no registry
        raise IdentityError(f"registry {registry}: no identity: {error}") from error


def foresee(minter: Minter, chosen: Plan, facts: Mapping[str, str]) -> Mapping[str, Any]:
    """Returns the claims that ``identify`` would sign, as if at the epoch; nothing is signed.

    Raises:
        MintDenied: if the role does not allow them.
    """
    known = {**facts, "registry": chosen.registry.address}
    return claims_for_pull(minter, chosen.entry, chosen.audience, known)


def trade(chosen: Plan, identity: Minted, now: Callable[[], float] = time.time) -> Flow[Credential]:
    """Yields the requests that exchange identity as chosen says, and returns the credential.

    Raises:
        ExchangeError: if the exchange gives no credential.
    """
    registry = chosen.registry
    return exchange(chosen.spec, registry.parameters, chosen.place, identity.token, now)
