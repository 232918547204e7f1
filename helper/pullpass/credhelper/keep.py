"""What ``store``, ``erase`` and ``list`` do with credentials that rest in a store.

A client names the host, so the entry is meant that answers for it. Where that one has no store,
there is nothing to do, and no failure: one would break ``docker login``.
"""

from collections.abc import Iterator, Mapping

from pullpass.config.model import Config, CredentialEntry, Stored
from pullpass.errors import CredentialNotFound, PullpassError, StoreError
from pullpass.resolve.choose import choose, find_registry
from pullpass.resolve.docker import query_of
from pullpass.secret import Secret
from pullpass.store.stores import Shelf

LISTED_USER = "pullpass"  # `list` wants a user for each host; ours is known at the pull
# Docker's own sign-in keeps two tokens beside the credential: docker/cli, internal/oauth/manager
_BESIDE = ("/access-token", "/refresh-token")


def save(
    config: Config, server_url: str, username: str, secret: Secret, environ: Mapping[str, str]
) -> None:
    """Stores a credential where its registry is marked for that.

    Raises:
        PullpassError: if it is marked and cannot be stored.
    """
    shelf = _marked(config, server_url, environ)
    if shelf is None:
        return
    if not secret:
        raise StoreError(f"an empty secret is not stored as {shelf.name}: log in with one")
    shelf.save(username, secret)


def erase(config: Config, server_url: str, environ: Mapping[str, str]) -> None:
    """Erases a credential where its registry is marked for that.

    Raises:
        PullpassError: if it is marked and cannot be erased.
    """
    if shelf := _marked(config, server_url, environ):
        shelf.erase()


def hosts(config: Config, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yields the hosts that ``get`` answers, and a user for each."""
    for address, registry in config.registries.items():
        try:
            user = _user(choose(registry, None), environ)
        except PullpassError:
            continue
        if user:
            yield address, user


def _user(entry: CredentialEntry, environ: Mapping[str, str]) -> str:
    """Returns the user of entry, empty where its credential is to be stored first."""
    if not isinstance(entry.source, Stored):
        return LISTED_USER
    found = _shelf(entry.source, environ).load()
    return found.username if found else ""


def _marked(config: Config, server_url: str, environ: Mapping[str, str]) -> Shelf | None:
    """Returns where the credential of server_url rests, None where none does."""
    if server_url.endswith(_BESIDE):
        return None
    try:
        query = query_of(server_url)
        registry = find_registry(config, query.registry)
        if not any(isinstance(entry.source, Stored) for entry in registry.credentials):
            return None
        source = choose(registry, query.repository).source
    except CredentialNotFound:
        return None
    return _shelf(source, environ) if isinstance(source, Stored) else None


def _shelf(source: Stored, environ: Mapping[str, str]) -> Shelf:
    return Shelf(store=source.store, name=source.secret, environ=environ)
