"""The standard Unix password manager, ``pass``: a file for each secret, encrypted by gpg.

https://www.passwordstore.org, pass(1). Works without a desktop. Secrets go through pipes alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pullpass.command import run
from pullpass.errors import CommandError, StoreError
from pullpass.secret import Secret
from pullpass.store.document import MAX_DOCUMENT

PROGRAM: Final = "pass"
PATIENCE: Final = 15.0  # seconds; gpg may ask its owner for a passphrase
FOLDER: Final = "pullpass"  # within the store, so that nothing of anybody else's is touched


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordStore:
    """The store that ``pass`` uses in this environment."""

    environ: Mapping[str, str]

    def load(self, name: str) -> Secret | None:
        """Returns what rests under name, None if nothing does. Raises: StoreError."""
        if not self._is_there(name):
            return None
        return Secret(self._run("show", _path(name)).decode(errors="replace"))

    def save(self, name: str, text: Secret) -> None:
        """Lets text rest under name, in place of what did. Raises: StoreError."""
        self._run("insert", "--multiline", "--force", _path(name), stdin=text)

    def erase(self, name: str) -> None:
        """Forgets what rests under name, if anything does. Raises: StoreError."""
        if self._is_there(name):
            self._run("rm", "--force", _path(name))

    def _is_there(self, name: str) -> bool:
        directory = self.environ.get("PASSWORD_STORE_DIR")
        home = self.environ.get("HOME", "")
        above = Path(directory) if directory else Path(home) / ".password-store"
        try:
            (above / f"{_path(name)}.gpg").stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StoreError(f"pass: {above} cannot be read: {error.strerror}") from error
        return True

    def _run(self, *arguments: str, stdin: Secret | None = None) -> bytes:
        argv = [PROGRAM, *arguments]
        sent = b"" if stdin is None else stdin.reveal().encode()
        limit = MAX_DOCUMENT + 1  # it adds an end of line
        try:
            return run(argv, environ=self.environ, timeout=PATIENCE, limit=limit, stdin=sent)
        except CommandError as error:
            raise StoreError(f"{error} (`{' '.join(argv)}`)") from error


def _path(name: str) -> str:
    if not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise StoreError(f"{name} is no name for pass: use words between slashes")
    return f"{FOLDER}/{name}"
