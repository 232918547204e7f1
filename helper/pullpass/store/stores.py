"""The stores by the names that the configuration has for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pullpass.credential import Credential
from pullpass.errors import StoreError
from pullpass.secret import Secret
from pullpass.store import document
from pullpass.store.keyring import Keyring
from pullpass.store.password_store import PasswordStore
from pullpass.store.systemd import VARIABLE, SystemdCredentials


class SecretStore(Protocol):
    """Keeps texts under names. Every method raises StoreError."""

    def load(self, name: str) -> Secret | None:
        """Returns what rests under name, None if nothing does."""

    def save(self, name: str, text: Secret) -> None:
        """Lets text rest under name, in place of what did."""

    def erase(self, name: str) -> None:
        """Forgets what rests under name, if anything does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One place in one store, where a credential may rest.

    Attributes:
        store: ``keyring``, ``pass`` or ``systemd``.
        name: of the secret within the store.
    """

    store: str
    name: str
    environ: Mapping[str, str]

    def load(self) -> Credential | None:
        """Returns the credential, None if there is none. Raises: StoreError."""
        text = self._open().load(self.name)
        if text is None:
            return None
        try:
            return document.parse(text)
        except StoreError as error:
            raise StoreError(f"{self.name} in {self.store}: {error}") from error

    def save(self, username: str, secret: Secret) -> None:
        """Lets a credential rest here. Raises: StoreError."""
        self._open().save(self.name, document.render(username, secret))

    def erase(self) -> None:
        """Forgets the credential, if there is one. Raises: StoreError."""
        self._open().erase(self.name)

    def _open(self) -> SecretStore:
        match self.store:
            case "keyring":
                return Keyring()
            case "pass":
                return PasswordStore(environ=self.environ)
            case "systemd":
                directory = self.environ.get(VARIABLE)
                return SystemdCredentials(directory=Path(directory) if directory else None)
        raise StoreError(f"{self.store} is no store: use keyring, pass or systemd")
