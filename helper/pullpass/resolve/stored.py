"""The way to a credential that rests on this host: nothing is minted and nothing exchanged."""

from collections.abc import Iterator, Mapping

from pullpass.config.model import SYSTEMD, Config, Registry, Stored
from pullpass.credential import Credential
from pullpass.errors import StoreError
from pullpass.identity.effects import LoadStored, Steps


def stored_in(config: Config) -> Iterator[Stored]:
    """Yields each stored credential that an entry of config names, once."""
    entries = [entry for one in config.registries.values() for entry in one.credentials]
    found = [entry.source for entry in entries if isinstance(entry.source, Stored)]
    yield from dict.fromkeys(found)


def fetch_stored(
    registry: Registry, source: Stored, environ: Mapping[str, str]
) -> Steps[Credential]:
    """Yields what it needs and returns the credential that rests where source says.

    Args:
        registry: whose credential it is.
        source: the store and the name there.
        environ: the environment of whoever asks.

    Raises:
        StoreError: if there is none, or the store cannot be had.
    """
    asked = LoadStored(store=source.store, name=source.secret, environ=environ)
    try:
        found: Credential | None = yield asked
    except StoreError as error:  # stores know of no registry
        raise StoreError(f"registry {registry.address}: {error}") from error
    if found is None:
        raise StoreError(
            f"registry {registry.address}: there is no secret {source.secret} in {source.store}:"
            f" {_advice(source)}"
        )
    return found


def _advice(source: Stored) -> str:
    if source.store == SYSTEMD:
        return f"let the unit of the service have LoadCredentialEncrypted={source.secret}"
    return f"store it with `pullpass secret set {source.secret}`"
