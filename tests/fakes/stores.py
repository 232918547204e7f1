"""Real stores of static secrets, each in a home of its own: pass with gpg, and GNOME's keyring."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fakes.programs import environment, finished, short_directory

PROGRAM: Final = Path(__file__).with_name("shelf_program.py")
WITHIN: Final = 60.0  # seconds
# Unlocks the keyring of the home with one and the same password, then becomes the program.
_UNLOCKED: Final = (
    'printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec "$@"'
)
_SESSION: Final = ("dbus-run-session", "--")


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store and how programs are started that are to reach it.

    Attributes:
        name: as the configuration has it.
        before: the words before every command.
    """

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()

    def run(self, argv: Sequence[str | Path], stdin: str = "", **more: str) -> tuple[int, str, str]:
        """Returns status, output and errors of a program that can reach the store."""
        done = subprocess.run(
            [*self.before, *argv],
            env=environment(**{**self.variables, **more}),
            input=stdin,
            capture_output=True,
            check=False,
            text=True,
            timeout=WITHIN,
        )
        return done.returncode, done.stdout, done.stderr

    def ask(self, action: str, name: str, stdin: str = "") -> dict[str, Any]:
        """Returns what Shelf answers."""
        _, out, err = self.run([sys.executable, PROGRAM, self.name, name, action], stdin)
        assert out, err
        answer: dict[str, Any] = json.loads(out.splitlines()[-1])  # a daemon may speak before
        return answer

    def save(self, name: str, username: str, secret: str) -> dict[str, Any]:
        """Saves a credential."""
        return self.ask("save", name, json.dumps({"username": username, "secret": secret}))


@contextmanager
def password_store() -> Iterator[Store]:
    """Gives pass with a key that has no passphrase."""
    with short_directory() as home:
        variables = {"HOME": str(home), "GNUPGHOME": f"{home}/gnupg"}
        (home / "gnupg").mkdir(mode=0o700)
        env = environment(**variables)
        user = "store@example.com"
        key = ["--batch", "--passphrase", "", "--quick-generate-key", user, "default", "default"]
        for argv in (["gpg", *key, "never"], ["pass", "init", user]):
            done = finished(argv, env=env)
            assert done.returncode == 0, done.stderr
        try:
            yield Store(name="pass", variables=variables)
        finally:
            finished(["gpgconf", "--kill", "all"], env=env)


@contextmanager
def desktop_keyring() -> Iterator[Store]:
    """Gives GNOME's keyring, which is unlocked for each program in a session of its own."""
    with short_directory() as home:
        yield Store(
            name="keyring",
            variables={"HOME": str(home)},
            before=(*_SESSION, "sh", "-c", _UNLOCKED, "sh"),
        )


def locked(store: Store) -> Store:
    """Returns the keyring of the same home, which nobody has unlocked."""
    return Store(name=store.name, variables=store.variables, before=_SESSION)
