"""Keys and certificates in DER, with what nobody knows in them."""

from base64 import b64encode


def unknown(raw: bytes, identifier: str) -> bytes:
    """Returns raw with an object identifier replaced by one that means nothing."""
    known = bytes.fromhex(identifier)
    assert known in raw
    return raw.replace(known, known[:-1] + b"\x6f")


def as_pem(raw: bytes, kind: str = "PRIVATE KEY") -> str:
    """Returns raw as a PEM block of kind."""
    text = b64encode(raw).decode()
    return f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n"
