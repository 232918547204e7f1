"""The keyring of the desktop, or whatever backend keyring is set up with.

https://keyring.readthedocs.io. Without a backend it raises NoKeyringError, as on most servers.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from pullpass.errors import StoreError
from pullpass.secret import Secret

T = TypeVar("T")

SERVICE: Final = "pullpass"
PATIENCE: Final = 15.0  # seconds; a keyring may ask its owner to unlock it


class Keyring:
    """The keyring of this user."""

    def load(self, name: str) -> Secret | None:
        """Returns what rests under name, None if nothing does. Raises: StoreError."""
        text = _ask(lambda keyring: keyring.get_password(SERVICE, name))
        return None if text is None else Secret(text)

    def save(self, name: str, text: Secret) -> None:
        """Lets text rest under name, in place of what did. Raises: StoreError."""
        _ask(lambda keyring: keyring.set_password(SERVICE, name, text.reveal()))
        if self.load(name) != text:  # backends that keep nothing say nothing
            raise StoreError("the keyring did not keep it: see `keyring diagnose`")

    def erase(self, name: str) -> None:
        """Forgets what rests under name, if anything does. Raises: StoreError."""
        if self.load(name) is not None:
            _ask(lambda keyring: keyring.delete_password(SERVICE, name))


def _ask(question: Callable[[Any], T]) -> T:
    """Returns the keyring's answer to question, which waits for nobody longer than PATIENCE."""
    answers: list[T] = []
    failures: list[Exception] = []

    def ask() -> None:
        try:
            answers.append(question(_keyring()))
        except Exception as error:  # noqa: BLE001 - backends raise what their libraries do
            failures.append(error)

    # A thread, since D-Bus waits for a person; the process may end without it.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    if answers:
        return answers[0]
    if not failures:
        raise StoreError(f"the keyring has not answered in {PATIENCE:.0f}s: does it wait for you?")
    raise _failure(failures[0]) from failures[0]


def _keyring() -> Any:
    import keyring  # noqa: PLC0415 - takes 70 ms, and is an extra

    return keyring.get_keyring()


def _failure(error: Exception) -> StoreError:
    if isinstance(error, ImportError):
        return StoreError("keyring is not installed: pip install 'pullpass[keyring]'")
    match type(error).__name__:
        case "NoKeyringError":
            return StoreError('this host has no keyring: use store = "pass" or "systemd"')
        case "KeyringLocked":
            return StoreError("the keyring is locked: unlock it")
        case kind:
            return StoreError(f"the keyring failed ({kind}): see `keyring diagnose`")
