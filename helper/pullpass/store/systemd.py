"""What systemd hands to a service: a file for each credential, decrypted, in memory, read only.

https://systemd.io/CREDENTIALS: LoadCredential= and LoadCredentialEncrypted=, systemd 247 and 250
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from pullpass.errors import StoreError
from pullpass.secret import Secret
from pullpass.store.document import MAX_DOCUMENT

VARIABLE: Final = "CREDENTIALS_DIRECTORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemdCredentials:
    """The credentials of the service that this process belongs to.

    Attributes:
        directory: None where systemd gave none.
    """

    directory: Path | None

    def load(self, name: str) -> Secret | None:
        """Returns what rests under name, None if nothing does. Raises: StoreError."""
        if self.directory is None:
            raise StoreError(
                f"systemd has given this process no credentials: run it as a service with"
                f" LoadCredentialEncrypted={name}"
            )
        if "/" in name or name in {".", ".."}:
            raise StoreError(f"{name} is no name of a systemd credential: use one without a slash")
        path = self.directory / name
        try:
            with path.open("rb") as file:
                return Secret(file.read(MAX_DOCUMENT + 1).decode(errors="replace"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error

    def save(self, name: str, _: Secret) -> NoReturn:
        """Raises: StoreError."""
        raise StoreError(
            "a service cannot write its systemd credentials: use `systemd-creds encrypt"
            f" --name={name}` and LoadCredentialEncrypted="
        )

    def erase(self, name: str) -> NoReturn:
        """Raises: StoreError."""
        raise StoreError(
            f"a service cannot erase its systemd credentials: take {name} out of its unit"
        )
