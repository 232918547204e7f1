"""Writes the documents of issuers for any server of static files, keys before their use."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from pullpass.config.issuing import Issuer
from pullpass.config.model import Config
from pullpass.errors import UsageError
from pullpass.http import Flow
from pullpass.issuer.documents import Document, discovery_document, jwks_document
from pullpass.issuer.places import discovery_places, jwks_place
from pullpass.keys.rotation import show
from pullpass.keys.source import Keys, check_frozen
from pullpass.keys.transit import TransitKey, Version
from pullpass.whole import write_whole


def publish(config: Config, keys: Keys, issuers: Sequence[Issuer], root: Path) -> Flow[list[Path]]:
    """Writes what each of issuers publishes below root, the root of one host, and returns where.

    Versions that wait for it are written first, and only then counted as shown.

    Raises:
        UsageError: if issuers are on several hosts.
        KeyStoreError: if a key cannot be had.
        OSError: if a file cannot be written.
    """
    _check_hosts(issuers)
    written = []
    for issuer in issuers:
        key = yield from keys.load(issuer.signing_key)
        check_frozen(key, issuer.name, issuer.issuer)
        shown = show(key, keys.now())
        for path, document in _files(config, issuer, shown):
            _write(root / path, document.body)
            written.append(root / path)
        if shown is not key:
            count = partial(_counted, written=shown, now=keys.now())
            yield from keys.change(key.name, count)
    return written


def _counted(
    found: TransitKey, _: Version | None, *, written: TransitKey, now: float
) -> TransitKey:
    """Returns found with what was written counted as shown, and nothing else."""
    kids = {version.kid for version in written.published}
    return show(found, now) if found.upcoming and found.upcoming.kid in kids else found


def _check_hosts(issuers: Sequence[Issuer]) -> None:
    hosts = sorted({jwks_place(issuer)[0] for issuer in issuers})
    if len(hosts) > 1:
        raise UsageError(
            f"the issuers are on {', '.join(hosts)}, and a directory is for one: use --issuer"
        )


def _files(config: Config, issuer: Issuer, key: TransitKey) -> Iterator[tuple[str, Document]]:
    settings = config.keys[issuer.signing_key]
    yield jwks_place(issuer)[1].lstrip("/"), jwks_document(issuer, key, settings)
    for _, path in discovery_places(issuer):
        yield path.lstrip("/"), discovery_document(issuer)


def _write(path: Path, body: bytes) -> None:
    """Puts a file in its place whole, for everybody to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, body, mode=0o644)
