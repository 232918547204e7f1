"""An issuer on another host, to which this one proves itself and which signs for it.

A host that holds no signing key can mint as itself alone: the role there puts the proven node into
the subject.
"""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pullpass.errors import IdentityError
from pullpass.http import MAX_SKEW, Request, Response
from pullpass.identity.effects import Steps, ask, read_file
from pullpass.identity.reading import AGAIN, read_json, text_at, text_of_answer
from pullpass.identity.source import Wanted
from pullpass.issuer.places import mint_url
from pullpass.keys.file import FileKeyStore

ASSERTION_TTL: Final = 30  # seconds; an issuer takes it if neither clock is as far before the other
_WHO: Final = "the issuer"
_NO_ROLE: Final = (
    "it has no such role for other hosts: check issuer and role, and the role's mint there"
)
_HINTS: Final = {
    401: "it does not believe this host: enroll the key that `pullpass node-key show` prints under"
    " the node's name, or let its callers name who gave the token, and compare the clocks",
    403: "its role does not allow this: look at mint, facts and allowed_audiences there",
    404: _NO_ROLE,
    405: _NO_ROLE,  # as our own server has it, which answers POST nowhere else
    429: "this host asks too often: raise mints_per_minute there",
}


def central(wanted: Wanted) -> Steps[str | None]:
    """Returns a token of a role of the issuer, which a node's key or another token proves us to."""
    answer = yield from _ask(wanted)
    if answer.status in AGAIN:
        answer = yield from _ask(wanted)  # with a new assertion: one is good once
    _check_clock(answer, wanted)
    text = text_of_answer(answer, _WHO, _HINTS)
    return text_at(read_json(text, _WHO), "jwt", _WHO)


def _ask(wanted: Wanted) -> Steps[Response]:
    told = wanted.parameters
    url = mint_url(told["issuer"], told["role"])
    proof = yield from _proof(wanted, url)
    stated = {name: wanted.facts[name] for name in told["facts"] if name in wanted.facts}
    body = {"audiences": [wanted.audience]} | ({"facts": stated} if stated else {})
    request = Request(
        method="POST",
        url=url,
        headers={"authorization": f"Bearer {proof}", "content-type": "application/json"},
        body=json.dumps(body).encode(),
        patient=True,
    )
    return (yield from ask(request))


def _proof(wanted: Wanted, url: str) -> Steps[str]:
    told = wanted.parameters
    if told["bearer"]:
        return (yield from wanted.show(told["bearer"], told["issuer"])).token.reveal()
    if told["token_file"]:
        return (yield from _token(told["token_file"]))
    return (yield from _assertion(told, url, int(wanted.now())))


def _assertion(told: Mapping[str, str], url: str, now: int) -> Steps[str]:
    """Returns an assertion of the node's key (RFC 7523 §3), good for one request to url."""
    path = Path(told["key"])
    held = yield from FileKeyStore(directory=path.parent).read(path.stem)
    claims = {
        "iss": told["node"],
        "sub": told["node"],
        "aud": url,
        "iat": now,
        "exp": now + ASSERTION_TTL,
        "jti": secrets.token_urlsafe(16),
    }
    return (yield from held.key.active.token(claims)).reveal()


def _token(path: str) -> Steps[str]:
    found = yield from read_file(path)
    if not found:
        raise IdentityError(f"there is no token in {path}: let whoever gives it write it there")
    return found


def _check_clock(answer: Response, wanted: Wanted) -> None:
    """Tells a wrong clock from a key that is not known. Raises: IdentityError."""
    if answer.status != 401 or answer.date is None:
        return
    ahead = wanted.now() - answer.date
    if abs(ahead) >= MAX_SKEW:
        side = "ahead of" if ahead > 0 else "behind"
        raise IdentityError(
            f"{_WHO} answers 401: this host's clock is {abs(ahead):.0f}s {side} the issuer's:"
            " set it"
        )
