"""A transit key and its versions. Pure."""

from dataclasses import dataclass
from typing import Final, Protocol

from pullpass.errors import KeyStoreError
from pullpass.jose import PrivateKey

ACTIVE: Final = "active"
# The states in which a version's public half is shown, so that what it signed verifies.
PUBLISHED: Final = frozenset({"published", ACTIVE, "retiring"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a transit key.

    Attributes:
        number: from 1.
        state: one of created, published, active, retiring, retired, destroyed, compromised.
        created_at: Unix seconds.
    """

    number: int
    state: str
    created_at: int
    key: PrivateKey

    @property
    def kid(self) -> str:
        """Returns the RFC 7638 thumbprint, the name of this version in tokens and JWKS."""
        return self.key.public.thumbprint()


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitKey:
    """A signing key with its versions."""

    name: str
    versions: tuple[Version, ...]

    @property
    def active(self) -> Version:
        """Returns the version that signs.

        Raises:
            KeyStoreError: if there is none, or more than one.
        """
        found = [version for version in self.versions if version.state == ACTIVE]
        if len(found) != 1:
            raise KeyStoreError(f"key {self.name} has {len(found)} active versions, needs one")
        return found[0]

    @property
    def published(self) -> tuple[Version, ...]:
        """Returns the versions that belong into the JWKS."""
        return tuple(version for version in self.versions if version.state in PUBLISHED)


class KeySource(Protocol):
    """Gives transit keys by name."""

    def load(self, name: str) -> TransitKey:
        """Returns the key name. Raises: KeyStoreError."""
