"""What a pull is given: a user name, a secret and how long both are good."""

from dataclasses import dataclass, field

from pullpass.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A registry credential.

    Attributes:
        username: what the registry wants as user name.
        secret: the password.
        expires_at: Unix seconds, or None where nobody said.
    """

    username: str
    secret: Secret = field(repr=False)
    expires_at: float | None = None
