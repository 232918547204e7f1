"""The embedded registry's settings, from one environment variable."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pullpass.certificates import load_certificates
from pullpass.config.reader import Table
from pullpass.errors import ConfigError, KeyStoreError, MalformedInput
from pullpass.jose import PublicKey
from pullpass.registry.manifest import read_object

VARIABLE: Final = "PULLPASS_EMBEDDED_REGISTRY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose tokens the registry takes: the settings of distribution's ``auth.token``.

    Attributes:
        realm: where clients get a token.
        service: the tokens' audience.
        issuer: the tokens' issuer.
        keys: the keys that sign them, by their libtrust fingerprint.
    """

    realm: str
    service: str
    issuer: str
    keys: Mapping[str, PublicKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an embedded registry needs to know.

    Attributes:
        root: the directory of its contents, made if need be.
        trust: None lets everybody do everything.
    """

    root: Path
    trust: Trust | None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Reads VARIABLE, a JSON object.

    It holds ``root``, a directory, and ``auth``: null for a registry that is open to everybody, or
    an object with ``realm``, ``service``, ``issuer`` and ``certificates``, a file in PEM.

    Raises:
        ConfigError: if it is not there or says anything else.
    """
    try:
        document = read_object(environment.get(VARIABLE, "").encode())
    except MalformedInput as error:
        raise ConfigError(f"{error}: set it to the registry's settings", key=VARIABLE) from error
    auth = document.pop("auth", {})
    table = Table(document, VARIABLE)
    root = _path(table, "root")
    table.done()
    trust = None if auth is None else _trust(Table({"auth": auth}, VARIABLE).table("auth"))
    return Settings(root=root, trust=trust)


def _trust(table: Table) -> Trust:
    realm, service, issuer = (table.text(name) for name in ("realm", "service", "issuer"))
    keys = _keys(table)
    table.done()
    return Trust(realm=realm, service=service, issuer=issuer, keys=keys)


def _keys(table: Table) -> dict[str, PublicKey]:
    path = _path(table, "certificates")
    try:
        keys = load_certificates(path.read_bytes())
    except (OSError, KeyStoreError) as error:
        raise table.error("certificates", f"{path} cannot be read as certificates") from error
    return {key.libtrust_id(): key for key in keys}


def _path(table: Table, name: str) -> Path:
    path = table.path(name)
    if path is None:
        raise table.error(name, "is missing: it takes a path from the root")
    return path
