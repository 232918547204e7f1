"""A value which cannot print itself."""

import hashlib
import hmac
from typing import Final, NoReturn, final

_SHOWN: Final = "<secret>"


@final
class Secret:
    """Holds a token or a password. Only ``reveal`` gives it back; no printing or pickling does."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Returns the text itself: for the wire and for the one who asked for it, nobody else."""
        return self._value

    def fingerprint(self) -> str:
        """Returns the SHA-256 of the text in hex, by which logs may name it."""
        return hashlib.sha256(self._bytes()).hexdigest()

    def __repr__(self) -> str:
        return _SHOWN

    def __format__(self, spec: str) -> str:
        return format(_SHOWN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def _bytes(self) -> bytes:
        # JSON can bring half of a surrogate pair, which must not make a comparison fail.
        return self._value.encode(errors="surrogatepass")
