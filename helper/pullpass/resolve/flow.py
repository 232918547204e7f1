"""The way from a query to a credential, as requests to be sent."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pullpass.config.model import (
    SYSTEMD,
    Config,
    CredentialEntry,
    Identity,
    OwnIssuer,
    Registry,
    Stored,
)
from pullpass.credential import Credential
from pullpass.errors import ConfigError, IdentityError, KeyStoreError
from pullpass.exchange import catalog
from pullpass.exchange.engine import Place, audience, exchange
from pullpass.exchange.spec import Spec
from pullpass.http import Flow
from pullpass.identity.catalog import depends, fetch
from pullpass.identity.effects import Steps
from pullpass.identity.own import claims_for_pull, mint_for_pull
from pullpass.identity.token import SubjectToken
from pullpass.issuer.mint import Minter
from pullpass.resolve.choose import Query, find
from pullpass.resolve.stored import fetch_stored
from pullpass.store.systemd import VARIABLE as CREDENTIALS


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
    """A credential and how it came about.

    Attributes:
        audience: of the identity, empty where none was shown.
        identity: None where the credential was stored.
    """

    registry: Registry
    entry: CredentialEntry
    audience: str = ""
    identity: SubjectToken | None = None
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
    config: Config,
    minter: Minter,
    query: Query,
    environ: Mapping[str, str],
    now: Callable[[], float] = time.time,
) -> Steps[Resolved]:
    """Yields what the identity and the exchange need, and returns the credential for query.

    Raises:
        CredentialNotFound, ConfigError, UsageError: as ``plan``.
        IdentityError: if no identity can be had.
        ExchangeError: if the exchange gives no credential.
        StoreError: if the entry's credential is to be found in a store, and is not.
    """
    registry, entry = find(config, query)
    if isinstance(entry.source, Stored):
        credential = yield from fetch_stored(registry, entry.source, environ)
        return Resolved(registry=registry, entry=entry, credential=credential)
    chosen = plan(config, query)
    identity = yield from identify(minter, chosen, query.facts, environ, now)
    credential = yield from trade(chosen, identity, now)
    return Resolved(
        registry=registry,
        entry=entry,
        audience=chosen.audience,
        identity=identity,
        credential=credential,
    )


def identify(
    minter: Minter,
    chosen: Plan,
    facts: Mapping[str, str],
    environ: Mapping[str, str],
    now: Callable[[], float] = time.time,
) -> Steps[SubjectToken]:
    """Yields what it needs and returns the identity that is shown for chosen.

    Args:
        minter: signs where the entry names an issuer of our own.
        chosen: which entry answers.
        facts: proven of whoever asks.
        environ: the environment of whoever asks.
        now: Unix seconds.

    Raises:
        IdentityError: if none can be had.
        ConfigError: if the entry has none, or what it needs is not installed.
    """
    source, registry = chosen.entry.source, chosen.registry.address
    known = {**facts, "registry": registry}
    try:
        if isinstance(source, Identity):
            return (yield from fetch(source, chosen.audience, environ, now, known))
        if isinstance(source, OwnIssuer):
            return (yield from mint_for_pull(minter, source, chosen.audience, known))
    except (IdentityError, KeyStoreError) as error:  # keys and sources know of no registry
        raise IdentityError(f"registry {registry}: no identity: {error}") from error
    raise ConfigError(
        f"{source.store} gives a credential, where an identity is asked for",
        key=f"{chosen.entry.key}.store",
    )


def foresee(minter: Minter, chosen: Plan, facts: Mapping[str, str]) -> str:
    """Returns all that decides which identity ``identify`` gives to one and the same process.

    Raises:
        MintDenied: if the role does not allow it; nothing is signed.
    """
    source = chosen.entry.source
    if not isinstance(source, OwnIssuer):
        return json.dumps([repr(source), chosen.audience])
    known = {**facts, "registry": chosen.registry.address}
    return json.dumps(claims_for_pull(minter, source, chosen.audience, known), sort_keys=True)


def trade(
    chosen: Plan, identity: SubjectToken, now: Callable[[], float] = time.time
) -> Flow[Credential]:
    """Yields the requests that exchange identity as chosen says, and returns the credential.

    Raises:
        ExchangeError: if the exchange gives no credential.
    """
    registry = chosen.registry
    return exchange(chosen.spec, registry.parameters, chosen.place, identity.token, now)


def of_caller(entry: CredentialEntry, environ: Mapping[str, str]) -> bool:
    """Tells whether what entry gives depends on the process that asks for it.

    systemd gives its credentials to one service, which then has them for all who may ask it.

    Args:
        entry: which is to be answered for.
        environ: of the process that may answer for others.
    """
    source = entry.source
    if isinstance(source, Stored):
        return source.store != SYSTEMD or CREDENTIALS not in environ
    return isinstance(source, Identity) and depends(source)
