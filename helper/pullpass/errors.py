"""Every failure of pullpass, ordered by what its reader should do next.

The number is the exit status of the commands, from sysexits(3):

    PullpassError                 1
    ├── UsageError               64  call the command differently
    ├── MalformedInput           65  these bytes are not what they should be
    │   ├── InvalidReference     65
    │   ├── InvalidScope         65
    │   ├── InvalidChallenge     65
    │   └── InvalidToken         65
    ├── ConfigError              78  change this setting
    ├── FileError                74  make room for this file, or mend its rights
    ├── CommandError             69  look at the program that was run
    ├── KeyStoreError            77  mend the key or its file
    ├── StoreError               77  mend the store of a static secret, or store it again
    ├── CredentialNotFound        1  not a registry of ours: ask somebody else
    ├── IdentityError            77  no subject token can be had
    │   └── MintDenied           77  the role does not allow this token
    ├── TokenRefused             77  somebody's token did not pass verification
    ├── ExchangeError            69  the exchange answered something else than a credential
    │   ├── ExchangeDenied       77  the exchange said no
    │   └── ExchangeUnavailable  75  the exchange cannot be had now: try again
    ├── RegistryError            69  the registry did not do what was asked
    ├── AgentError               69  the agent broke off: look at its log, or do its work yourself
    │   └── AgentUnavailable     75  no agent does this: do its work yourself
    ├── CallerDenied             77  the agent may not answer whoever asked
    └── TransportError           75  no answer came: try again

A message is one printable line which names the registry, the step and what to do. It never holds a
body, a token or a query string. «Not found» is only for «not ours».
"""

from typing import ClassVar


class PullpassError(Exception):
    """The base of the tree. ``str()`` is one printable line, whatever went into it."""

    exit_status: ClassVar[int] = 1

    def __str__(self) -> str:
        return one_line(super().__str__())


class UsageError(PullpassError):
    """A command was called in a way that it does not know."""

    exit_status = 64


class MalformedInput(PullpassError):
    """Bytes from outside are not what they should be."""

    exit_status = 65


class InvalidReference(MalformedInput):
    """Not an image reference, a repository or a registry address."""


class InvalidScope(MalformedInput):
    """Not a scope of Docker's token authentication."""


class InvalidChallenge(MalformedInput):
    """Not a WWW-Authenticate header."""


class InvalidToken(MalformedInput):
    """Not a signed JWT in compact form."""


class ConfigError(PullpassError):
    """A setting is missing, unknown or wrong.

    Attributes:
        key: the setting's dotted name, empty where the whole file is meant.
        reason: what is wrong, without the key.
    """

    exit_status = 78

    def __init__(self, message: str, *, key: str = "") -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.key = key
        self.reason = message


class FileError(PullpassError):
    """A file cannot be read or written."""

    exit_status = 74


class CommandError(PullpassError):
    """A program that was run did not do its part."""

    exit_status = 69


class KeyStoreError(PullpassError):
    """A transit key cannot be read or written."""

    exit_status = 77


class StoreError(PullpassError):
    """A static secret cannot be read from its store, or written there."""

    exit_status = 77


class CredentialNotFound(PullpassError):
    """The registry is none of ours. Never used for a failure."""


class IdentityError(PullpassError):
    """No subject token can be had."""

    exit_status = 77


class MintDenied(IdentityError):
    """The role or the issuer does not allow the token that was asked for.

    Attributes:
        constraint: the setting that says no, without its table.
    """

    def __init__(self, message: str, *, constraint: str = "") -> None:
        super().__init__(message)
        self.constraint = constraint


class TokenRefused(PullpassError):
    """Somebody's token did not pass verification."""

    exit_status = 77


class ExchangeError(PullpassError):
    """The exchange answered something else than a credential."""

    exit_status = 69


class ExchangeDenied(ExchangeError):
    """The exchange understood and said no."""

    exit_status = 77


class ExchangeUnavailable(ExchangeError):
    """The exchange cannot be had now."""

    exit_status = 75


class RegistryError(PullpassError):
    """The registry did not do what was asked."""

    exit_status = 69


class AgentError(PullpassError):
    """The agent took a question and gave no answer."""

    exit_status = 69


class AgentUnavailable(AgentError):
    """No agent answers this question: none listens, it is not to be trusted, or it declines."""

    exit_status = 75


class CallerDenied(PullpassError):
    """The agent's policy does not let whoever asks have this."""

    exit_status = 77


class TransportError(PullpassError):
    """No answer came: unreachable, too slow, too long or not HTTP."""

    exit_status = 75


def one_line(text: str, limit: int = 1000) -> str:
    """Returns text as one printable line of at most limit characters."""
    line = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
