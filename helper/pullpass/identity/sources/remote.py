"""An issuer on another host, to which this one proves itself and which signs for it.

A host that holds no signing key can mint as itself alone: the role there puts the proven node into
the subject.
"""

import json
import secrets
from pathlib import Path
from typing import Final

from pullpass.errors import IdentityError
from pullpass.http import Request
from pullpass.identity.effects import Steps, read_file
from pullpass.identity.reading import ask_json
from pullpass.identity.source import Wanted
from pullpass.keys.file import FileKeyStore

ASSERTION_TTL: Final = 60  # seconds; it is shown at once
BACKDATE: Final = 10  # seconds
_WHO: Final = "the issuer"
_HINTS: Final = {
    401: "it does not believe this host: enroll the key that `pullpass node-key show` prints under"
    " the node's name, and compare the clocks",
    403: "its role does not allow this: look at mint and allowed_audiences there",
    404: "it has no such role for other hosts: check issuer and role, and the role's mint there",
    429: "this host asks too often: raise mints_per_minute there",
}


def central(wanted: Wanted) -> Steps[str | None]:
    """Returns a token of a role of the issuer, which a node's key or another token proves us to."""
    told = wanted.parameters
    proof = yield from _assertion(wanted) if told["key"] else _token(told["token_file"])
    request = Request(
        method="POST",
        url=f"{told['issuer']}/roles/{told['role']}/mint",
        headers={"authorization": f"Bearer {proof}", "content-type": "application/json"},
        body=json.dumps({"audiences": [wanted.audience]}).encode(),
    )
    return (yield from ask_json(request, _WHO, _HINTS, "jwt"))


def _assertion(wanted: Wanted) -> Steps[str]:
    """Returns an assertion of the node's key (RFC 7523 §3), good for one request."""
    told, now = wanted.parameters, int(wanted.now())
    if not told["node"]:
        raise IdentityError("node is missing: name this host as it is enrolled at the issuer")
    path = Path(told["key"])
    held = yield from FileKeyStore(directory=path.parent).read(path.stem)
    claims = {
        "iss": told["node"],
        "sub": told["node"],
        "aud": told["issuer"],
        "iat": now - BACKDATE,
        "exp": now + ASSERTION_TTL,
        "jti": secrets.token_urlsafe(16),
    }
    return (yield from held.key.active.token(claims)).reveal()


def _token(path: str) -> Steps[str]:
    if not path:
        raise IdentityError("it proves itself with nothing: set key, or token_file")
    found = yield from read_file(path)
    if not found:
        raise IdentityError(f"there is no token in {path}: let whoever gives it write it there")
    return found
