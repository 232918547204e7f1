"""Which entry of the configuration answers. Pure, and light: foreign registries end here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pullpass.config.model import Config, CredentialEntry, Registry
from pullpass.errors import ConfigError, CredentialNotFound, UsageError
from pullpass.glob import matches

_HTTPS_PORT: Final = ":443"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What somebody wants to pull from.

    Attributes:
        registry: ``host[:port]``.
        repository: None where only the host is known, as with Docker's helpers.
        plaintext: whether the asker means to speak plain http.
        facts: what is proven about the asker, for the subject of its identity.
    """

    registry: str
    repository: str | None = None
    plaintext: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


def find(config: Config, query: Query) -> tuple[Registry, CredentialEntry]:
    """Returns the registry and the entry that answer query.

    Raises:
        CredentialNotFound: if none speaks of the registry, or of the repository.
        ConfigError: if several could answer for the bare host.
        UsageError: if a credential would travel in plain http.
    """
    registry = find_registry(config, query.registry)
    if query.plaintext and not registry.insecure:
        raise UsageError(
            f"registry {registry.address}: refused over plain http: use https, or set"
            f" {registry.key}.insecure for a registry on loopback"
        )
    return registry, choose(registry, query.repository)


def find_registry(config: Config, address: str) -> Registry:
    """Returns the registry of address; port 443 is https' own and may be left out.

    Raises:
        CredentialNotFound: if it is not configured.
    """
    other = (
        address.removesuffix(_HTTPS_PORT)
        if address.endswith(_HTTPS_PORT)
        else f"{address}{_HTTPS_PORT}"
    )
    found = config.registries.get(address) or config.registries.get(other)
    if found is None:
        raise CredentialNotFound(f"registry {address} is not configured: add it to use pullpass")
    return found


def choose(registry: Registry, repository: str | None) -> CredentialEntry:
    """Returns the entry which answers for repository, the most specific one, or for the host.

    Raises:
        CredentialNotFound: if no entry speaks of repository.
        ConfigError: if only the host is known and none answers for all of it.
    """
    if repository is None:
        return _for_host(registry)
    found = [entry for entry in registry.credentials if matches(entry.repository, repository)]
    if not found:
        raise CredentialNotFound(f"registry {registry.address}: no entry covers {repository}")
    return max(found, key=specificity)


def _for_host(registry: Registry) -> CredentialEntry:
    for entry in registry.credentials:
        if entry.host_default:
            return entry
    for entry in registry.credentials:
        if entry.repository == "*":
            return entry
    choices = ", ".join(entry.repository for entry in registry.credentials)
    raise ConfigError(
        f"only the host is known here and the entries are for {choices}: mark one host_default",
        key=f"{registry.key}.credential",
    )


def specificity(entry: CredentialEntry) -> tuple[int, int]:
    """Returns what entries are compared by: characters beside wildcards, then fewer wildcards."""
    wild = entry.repository.count("*") + entry.repository.count("?")
    return len(entry.repository) - wild, -wild
