"""What the entries of one registry say of its repositories. Pure."""

import re
from typing import Final

from pullpass.config.model import CredentialEntry, Registry
from pullpass.config.reader import Table
from pullpass.errors import ConfigError, InvalidReference
from pullpass.reference import DOCKER_HUB, parse_repository

_WILDCARD: Final = re.compile(r"\*+|\?")
_LETTER: Final = "a"  # stands wherever a wildcard may


def check_repositories(table: Table, registry: Registry) -> None:
    """Holds that each entry can match, and that no two answer for the same.

    Raises:
        ConfigError: if not.
    """
    for entry in registry.credentials:
        _check_glob(entry, registry.address)
    patterns = [entry.repository for entry in registry.credentials]
    if len(set(patterns)) != len(patterns):
        raise table.error("credential", "names a repository twice: keep one of them")
    if sum(entry.host_default for entry in registry.credentials) > 1:
        raise table.error("credential", "has host_default twice: mark one of them")


def _check_glob(entry: CredentialEntry, address: str) -> None:
    key = f"{entry.key}.repository"
    glob = entry.repository
    try:
        parse_repository(_WILDCARD.sub(_LETTER, glob))
    except InvalidReference as error:
        raise ConfigError(f"matches no repository: {error}", key=key) from error
    if address == DOCKER_HUB and not _WILDCARD.search(glob) and "/" not in glob:
        raise ConfigError(f"matches no repository: write library/{glob}", key=key)
