"""A transit key and its versions. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from pullpass.errors import KeyStoreError, TokenRefused
from pullpass.http import Flow
from pullpass.jose import PrivateKey, PublicKey, compact, signing_input
from pullpass.secret import Secret


class State(StrEnum):
    """What a version is good for, in the order in which a version lives."""

    CREATED = "created"
    PUBLISHED = "published"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"
    DESTROYED = "destroyed"
    COMPROMISED = "compromised"


# The states in which a version's public half is shown, so that what it signed verifies.
PUBLISHED: Final = frozenset({State.PUBLISHED, State.ACTIVE, State.RETIRING})


class RemoteKey(Protocol):
    """A private half that another program keeps to itself."""

    def sign(self, data: bytes, algorithm: str) -> Flow[bytes]:
        """Yields requests and returns data's signature in the form of JWS. Raises KeyStoreError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a transit key.

    Attributes:
        number: from 1.
        created_at: Unix seconds.
        since: when it came into its state, Unix seconds.
        key: what signs; None once it is destroyed.
        kid: the RFC 7638 thumbprint, the name of this version in tokens and JWKS.
    """

    number: int
    state: State
    created_at: int
    since: int
    public: PublicKey
    key: PrivateKey | RemoteKey | None
    kid: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kid", self.public.thumbprint())

    @property
    def local(self) -> PrivateKey:
        """Returns the private half. Raises: KeyStoreError if it is not in this process."""
        if not isinstance(self.key, PrivateKey):
            raise KeyStoreError(f"version {self.number}: its private half is not on this host")
        return self.key

    def token(
        self,
        claims: Mapping[str, Any],
        *,
        algorithm: str = "",
        type_: str = "JWT",
        kid: str = "",
    ) -> Flow[Secret]:
        """Yields what a remote key is asked and returns claims as a JWT of this version.

        It has the usual algorithm and kid unless told others.

        Raises:
            KeyStoreError: if it cannot be signed.
        """
        chosen = algorithm or self.public.algorithms[0]
        data = signing_input(claims, kid=kid or self.kid, algorithm=chosen, type_=type_)
        match self.key:
            case PrivateKey():
                return compact(data, self.key.sign(data, chosen))
            case None:
                raise KeyStoreError(f"version {self.number} is destroyed: it signs nothing")
            case _:
                token = compact(data, (yield from self.key.sign(data, chosen)))
        from pullpass.relying import verify  # noqa: PLC0415 - 30 ms, for keys elsewhere alone

        try:
            verify(token, self.public)  # what another program signed is looked at before it leaves
        except TokenRefused as error:
            raise KeyStoreError(
                f"version {self.number}: what came as signature does not verify: is it this key?"
            ) from error
        return token


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitKey:
    """A signing key with its versions.

    Attributes:
        type: one of ``jose.KEY_TYPES``, the same for all versions.
        versions: by number.
        issuers: the URL of each issuer that has signed with it, by name. It stays as it is.
    """

    name: str
    type: str
    versions: tuple[Version, ...]
    issuers: Mapping[str, str] = field(default_factory=dict)

    @property
    def active(self) -> Version:
        """Returns the version that signs.

        Raises:
            KeyStoreError: if there is none, or more than one.
        """
        found = self.of(State.ACTIVE)
        if len(found) != 1:
            raise KeyStoreError(f"key {self.name} has {len(found)} active versions, needs one")
        return found[0]

    @property
    def published(self) -> tuple[Version, ...]:
        """Returns the versions that belong into the JWKS."""
        return self.of(*PUBLISHED)

    @property
    def upcoming(self) -> Version | None:
        """Returns the version that signs next, None where there is none yet."""
        found = self.of(State.CREATED, State.PUBLISHED)
        return found[0] if found else None

    def of(self, *states: State) -> tuple[Version, ...]:
        """Returns the versions in one of states."""
        return tuple(version for version in self.versions if version.state in states)


class KeySource(Protocol):
    """Gives transit keys by name."""

    def load(self, name: str) -> Flow[TransitKey]:
        """Yields what a remote store is asked and returns the key name. Raises: KeyStoreError."""


class IssuerKeys(KeySource, Protocol):
    """Gives transit keys, and remembers which issuer signs with them."""

    def freeze(self, key: TransitKey, issuer: str, url: str) -> Flow[None]:
        """Notes that an issuer signs with key as url. Raises: KeyStoreError if it has another."""
