"""Tokens read but not believed, and tokens believed: two types, so that they cannot be confused.

The reader is stricter than the libraries: they take padding, duplicate members and times as text.
"""

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pullpass.errors import InvalidToken

MAX_TOKEN: Final = 16 * 1024  # bytes
_BASE64URL: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_TIMES: Final = ("exp", "nbf", "iat")
_MAX_TIME: Final = 253_402_300_799  # Unix seconds; the end of the year 9999, and of datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedToken:
    """A JWT as it was written. Good for choosing whom to ask, and for nothing else.

    Attributes:
        header: the JOSE header.
        claims: the payload.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Returns the claim name where it is text, else the empty string."""
        value = self.claims.get(name)
        return value if isinstance(value, str) else ""

    def header_text(self, name: str) -> str:
        """Returns the header member name where it is text, else the empty string."""
        value = self.header.get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedClaims:
    """Claims whose signature, issuer, audience and times were checked. Only ``verifier`` makes one.

    Attributes:
        audiences: all that the token names, in its order.
        expires_at: Unix seconds.
        every: all claims as they came.
    """

    issuer: str
    subject: str
    audiences: tuple[str, ...]
    expires_at: int
    token_id: str
    every: Mapping[str, Any] = field(repr=False)


def read_token(token: str) -> UnverifiedToken:
    """Reads a JWT in compact form (RFC 7519 §3.1) without believing it.

    Raises:
        InvalidToken: for anything else; the message holds nothing of the token.
    """
    if len(token) > MAX_TOKEN:
        raise InvalidToken(f"the token is longer than {MAX_TOKEN} bytes")
    parts = token.split(".")
    if len(parts) != 3 or not parts[2]:
        raise InvalidToken("the token is not a signed JWT: it needs three parts between dots")
    decode_base64url(parts[2])
    header, claims = (_read_object(decode_base64url(part)) for part in parts[:2])
    for name in _TIMES:
        if name in claims and not _is_time(claims[name]):
            raise InvalidToken(f"the token's {name} is not a whole number of seconds")
    return UnverifiedToken(header=header, claims=claims)


def audiences_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the audiences of claims: one text or a list of texts (RFC 7519 §4.1.3).

    Raises:
        InvalidToken: if ``aud`` is anything else.
    """
    value = claims.get("aud", [])
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InvalidToken("the token's aud is neither text nor a list of texts")
    return tuple(found)


def decode_base64url(text: str) -> bytes:
    """Decodes base64url without padding (RFC 7515 §2), in its one canonical form.

    Raises:
        InvalidToken: for any other text.
    """
    raw = text.encode("ascii", errors="replace")
    if not _BASE64URL.issuperset(raw) or len(raw) % 4 == 1:
        raise InvalidToken("the token is not base64url")
    decoded = b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_")
    if urlsafe_b64encode(decoded).rstrip(b"=") != raw:
        raise InvalidToken("the token is not base64url: its last bits are not zero")
    return decoded


def _is_time(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MAX_TIME


def _read_object(raw: bytes) -> dict[str, Any]:
    try:
        value = _READER.decode(raw.decode("utf-8"))
        # Refuses numbers beyond a float and halves of surrogate pairs: nothing can write them out.
        _WRITER.encode(value).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidToken("the token's header or payload is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidToken("the token's header or payload is not a JSON object")
    return cast("dict[str, Any]", value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Made once: a pull reads three tokens.
_READER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
_WRITER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
