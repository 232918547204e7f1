"""AWS Signature Version 4, for every service but S3. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlsplit

from pullpass.secret import Secret

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNSIGNED: Final = frozenset({"connection", "expect", "transfer-encoding", "user-agent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs, for which service and where.

    Attributes:
        key_id: of the access key.
        session_token: of a temporary one, else None.
    """

    key_id: str
    secret_key: Secret
    session_token: Secret | None = None
    service: str
    region: str


def signed_headers(
    signer: Signer, method: str, url: str, *, headers: Mapping[str, str], body: bytes, at: float
) -> dict[str, str]:
    """Returns the headers that prove who asks, to be sent beside those that are given.

    Args:
        signer: whose proof it is.
        method: in upper case.
        url: percent-encoded (RFC 3986), without dotted or empty segments in its path.
        headers: all of them are signed.
        body: exactly as it is sent.
        at: Unix seconds.
    """
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    ours = {"x-amz-date": stamp}
    if signer.session_token:
        ours["x-amz-security-token"] = signer.session_token.reveal()
    names, request = _canonical(method, url, {**headers, **ours}, body)
    scope = f"{stamp[:8]}/{signer.region}/{signer.service}/aws4_request"
    text = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(request).hexdigest()))
    key = f"AWS4{signer.secret_key.reveal()}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    proof = f"Credential={signer.key_id}/{scope}, SignedHeaders={names}"
    signature = _hmac(key, text).hex()
    return {**ours, "authorization": f"{_ALGORITHM} {proof}, Signature={signature}"}


def _canonical(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[str, bytes]:
    """Returns the names of what is signed, and the request in its one canonical form."""
    parts = urlsplit(url)
    signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    signed = {"host": parts.netloc, **signed}
    lines = [f"{name}:{signed[name]}\n" for name in sorted(signed.keys() - _UNSIGNED)]
    names = ";".join(sorted(signed.keys() - _UNSIGNED))
    path = quote(parts.path or "/", safe="/~")  # encoded once more than on the wire
    query = "&".join(sorted(parts.query.split("&"), key=lambda pair: pair.partition("=")))
    digest = hashlib.sha256(body).hexdigest()
    return names, "\n".join((method, path, query, "".join(lines), names, digest)).encode()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
