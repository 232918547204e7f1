"""A transit key as the JSON document in which stores keep it. Pure."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pullpass.errors import KeyStoreError
from pullpass.jose import PrivateKey, is_encrypted, load_private_key, load_public_key
from pullpass.keys.transit import RemoteKey, State, TransitKey, Version
from pullpass.secret import Secret

MAX_DOCUMENT: Final = 1 << 16  # bytes; fifteen versions of rsa-4096 have 50 kB

_SIGNS: Final = frozenset({State.CREATED, State.PUBLISHED, State.ACTIVE})  # now or later

Remote = Callable[[int], RemoteKey]


def write(key: TransitKey, passphrase: Secret | None = None) -> Secret:
    """Returns the document of key, its private halves encrypted where there is a passphrase."""
    document = {
        "type": key.type,
        "versions": [_written(version, passphrase) for version in key.versions],
        "issuers": dict(key.issuers),
    }
    return Secret(json.dumps(document, indent=1) + "\n")


def read(
    name: str,
    raw: bytes,
    place: str,
    passphrase: Secret | None = None,
    remote: Remote | None = None,
) -> TransitKey:
    """Returns the key name of its document.

    Args:
        name: the key's.
        raw: the document.
        place: where it rests, for errors.
        passphrase: what opens its private halves.
        remote: gives the private half of a version that another program keeps.

    Raises:
        KeyStoreError: for anything that ``write`` does not write, or another passphrase.
    """
    try:
        return _read(name, raw, passphrase, remote)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise KeyStoreError(
            f"{place} is damaged: restore it, or move it away and create the key"
        ) from error
    except KeyStoreError as error:
        raise KeyStoreError(f"{place}: {error}") from error


def _read(name: str, raw: bytes, passphrase: Secret | None, remote: Remote | None) -> TransitKey:
    if len(raw) > MAX_DOCUMENT:
        raise ValueError("too long")
    found = json.loads(raw)
    issuers = found.get("issuers", {})
    key = TransitKey(
        name=name,
        type=found["type"],
        versions=tuple(_version(item, passphrase, remote) for item in found["versions"]),
        issuers=issuers,
    )
    if not all(type(url) is str for url in issuers.values()):
        raise TypeError("not text")
    if not key.versions or {version.public.type for version in key.versions} != {key.type}:
        raise ValueError("keys of another type")
    return key


def _written(version: Version, passphrase: Secret | None) -> Mapping[str, Any]:
    written = {
        "version": version.number,
        "state": version.state,
        "created_at": version.created_at,
        "since": version.since,
        "public_key": version.public.pem(),
    }
    if isinstance(version.key, PrivateKey):
        written["private_key"] = version.key.pem(passphrase).reveal()
    return written


def _version(item: Mapping[str, Any], passphrase: Secret | None, remote: Remote | None) -> Version:
    number, created_at = item["version"], item["created_at"]
    since = item.get("since", created_at)
    state = State(item["state"])
    if not all(type(value) is int for value in (number, created_at, since)):
        raise TypeError("not a whole number")
    local = _private(item, passphrase) if "private_key" in item else None
    # Documents had no public halves before keys rotated.
    public = local.public if local else load_public_key(_text(item, "public_key").reveal())
    gone = state in {State.DESTROYED, State.COMPROMISED}
    key = remote(number) if remote and not gone else local
    if key is None and state in _SIGNS:
        raise ValueError("nothing to sign with")
    return Version(
        number=number,
        state=state,
        created_at=created_at,
        since=since,
        public=public,
        key=key,
    )


def _private(item: Mapping[str, Any], passphrase: Secret | None) -> PrivateKey:
    pem = _text(item, "private_key")
    try:
        return load_private_key(pem, passphrase)
    except KeyStoreError as error:
        if is_encrypted(pem):  # which a passphrase may mend
            raise
        raise ValueError("no private key") from error


def _text(item: Mapping[str, Any], member: str) -> Secret:
    if type(item[member]) is not str:
        raise TypeError("not text")
    return Secret(item[member])
