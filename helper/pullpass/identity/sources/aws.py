"""AWS' own tokens for the outside, STS' GetWebIdentityToken.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from pullpass.errors import IdentityError, MalformedInput
from pullpass.exchange.paths import find
from pullpass.exchange.xmltree import read_xml
from pullpass.http import Request, Response
from pullpass.identity.effects import Steps, ask
from pullpass.identity.reading import text_at
from pullpass.identity.source import Wanted
from pullpass.identity.sources.aws_keys import Keys, keys, region
from pullpass.sigv4 import Signer, signed_headers

_STS: Final = "AWS STS"
_TOKEN: Final = "GetWebIdentityTokenResult.WebIdentityToken"
_CODES: Final[Mapping[str, str]] = {
    "OutboundWebIdentityFederationDisabled": "enable outbound web identity federation in IAM's"
    " account settings",
    "AccessDenied": "allow the role sts:GetWebIdentityToken",
    "ExpiredToken": "the credentials of AWS are expired: renew them",
    "InvalidClientTokenId": "the credentials of AWS are not good for this region and account",
    "SignatureDoesNotMatch": "the secret access key is not that of the key, or the clock is wrong",
    "RequestExpired": "AWS finds the request too old: check the clock of this host",
    "SessionDurationEscalation": "the role's session ends before the token would: ask for less in"
    " lifetime",
}


def web_identity(wanted: Wanted) -> Steps[str | None]:
    """Returns a token of the role or user that this host's or process' credentials are of."""
    found = yield from keys(wanted)
    if found is None:
        return None
    where = yield from region(wanted)
    answer = yield from ask(_request(wanted, found, where))
    return _token(answer)


def _request(wanted: Wanted, found: Keys, where: str) -> Request:
    url = f"https://sts.{where}.amazonaws.com/"
    fields = {
        "Action": "GetWebIdentityToken",
        "Version": "2011-06-15",
        "Audience.member.1": wanted.audience,
        "SigningAlgorithm": wanted.parameters["algorithm"],
        "DurationSeconds": str(wanted.parameters["lifetime"]),
    }
    body = urlencode(fields).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/xml"}
    signer = Signer(
        key_id=found.key_id,
        secret_key=found.secret_key,
        session_token=found.session_token,
        service="sts",
        region=where,
    )
    proof = signed_headers(signer, "POST", url, headers=headers, body=body, at=wanted.now())
    return Request(method="POST", url=url, headers={**headers, **proof}, body=body, patient=True)


def _token(answer: Response) -> str:
    try:
        document = read_xml(answer.body)
    except MalformedInput as error:
        raise IdentityError(
            f"{_STS} answers {answer.status} with something else than XML: check region, and that"
            " nothing else answers in its place"
        ) from error
    if answer.status == 200:
        return text_at(document, _TOKEN, _STS)
    code = find(document, ("Error", "Code"))
    known = _CODES.get(code.removesuffix("Exception"), "") if isinstance(code, str) else ""
    if known:
        raise IdentityError(f"{_STS} answers {answer.status} ({code}): {known}")
    advice = "try again in a minute" if answer.status >= 500 else "check region and lifetime"
    raise IdentityError(f"{_STS} answers {answer.status}: {advice}")
