"""Quay, Cloudsmith and Chainguard: registries with an exchange of their own kind."""

from base64 import b64encode
from typing import Final

from fakes.vendors.vendor import JSON, NO_BODY, TOKEN, UNKNOWN, Call, Refusal, Vendor, given
from pullpass.errors import ExchangeUnavailable

_BASIC: Final = b64encode(f"acme+puller:{TOKEN}".encode()).decode()
_ROBOT: Final = given(sub="acme+puller", aud="quay.io")


def _quay(message: str, says: str) -> Refusal:
    return Refusal(status=401, body={"error": message}, says=f"401{says}")


QUAY: Final = Vendor(
    name="quay",
    provider="quay",
    registry="quay.io",
    parameters={"robot": "acme+puller"},
    audience="quay.io",
    calls=(
        Call(
            method="GET",
            url="https://quay.io/oauth2/federation/robot/token",
            headers={**NO_BODY, "authorization": f"Basic {_BASIC}"},
            answer={"token": _ROBOT},
        ),
    ),
    username="acme+puller",
    password=_ROBOT,
    lives=3600,
    refusals=(
        _quay("Invalid basic auth header", " (Invalid basic auth header): robot must be organ"),
        _quay("Invalid robot", " (Invalid robot): check that robot is organization+name"),
        _quay("missing auth", " (missing auth): a proxy took the Authorization header away"),
        _quay("Missing `kid` header", " (kid): the token needs a kid in its header"),
        _quay('Token is missing the "iat" claim', " (iat): the token needs iat"),
        _quay(UNKNOWN, ": check that the robot's federation has exactly the token's iss and sub"),
        Refusal(status=400, says="400: check that robot is organization+name"),
        Refusal(status=404, says="404: there is no robot federation here"),
        Refusal(status=431, says="431: a proxy before Quay takes no header as long as the token"),
        Refusal(
            status=500,
            says="500: Quay says so too where the federation does not have exactly the token's iss",
            kind=ExchangeUnavailable,
        ),
    ),
)

_OF_CLOUDSMITH: Final = given(2 * 3600)
CLOUDSMITH: Final = Vendor(
    name="cloudsmith",
    provider="cloudsmith",
    registry="docker.cloudsmith.io",
    parameters={"account": "acme", "service_slug": "puller-x1y2"},
    audience="cloudsmith",
    calls=(
        Call(
            url="https://api.cloudsmith.io/openid/acme/",
            headers=JSON,
            body={"oidc_token": TOKEN, "service_slug": "puller-x1y2"},
            status=201,
            answer={"token": _OF_CLOUDSMITH},
        ),
    ),
    username="token",
    password=_OF_CLOUDSMITH,
    lives=2 * 3600,
    refusals=(
        Refusal(status=400, body={"error": UNKNOWN}, says="400: check account and service_slug"),
        Refusal(
            status=401,
            body={"detail": UNKNOWN},
            says="401: check that the OpenID Connect provider there has exactly the token's iss",
        ),
        Refusal(status=403, body={"detail": UNKNOWN}, says="403: bind the OpenID Connect provider"),
        Refusal(status=404, body={"detail": UNKNOWN}, says="404: check account and service_slug"),
        Refusal(
            status=422, body={"detail": [UNKNOWN]}, says="422: check account and service_slug, and"
        ),
    ),
)

_UIDP: Final = "45a0c61ea6fd977f050c5fb9ac06a69eed764595/3f7d1e64e4a2a8d6"


def _chainguard(status: int, code: int, says: str) -> Refusal:
    body = {"code": code, "message": UNKNOWN, "details": []}
    return Refusal(status=status, body=body, says=f"{status} ({code}): {says}")


CHAINGUARD: Final = Vendor(
    name="chainguard",
    provider="chainguard",
    registry="cgr.dev",
    parameters={"assumed": _UIDP},
    audience="https://issuer.enforce.dev",
    calls=(
        Call(
            method="GET",
            url="https://issuer.enforce.dev/sts/exchange?aud=cgr.dev&identity="
            + _UIDP.replace("/", "%2F"),
            headers={**NO_BODY, "authorization": f"Bearer {TOKEN}"},
            answer={"token": given()},
        ),
    ),
    username="user",
    password=given(),
    lives=3600,
    refusals=(
        _chainguard(400, 3, "check assumed, the identity's whole identifier"),
        _chainguard(401, 16, "the identity does not let the token in"),
        _chainguard(403, 7, "the identity does not let the token in"),
        _chainguard(404, 5, "there is no such identity: check assumed"),
        Refusal(
            status=503,
            body={"code": 14, "message": UNKNOWN},
            says="503: the exchange cannot serve now; try again later",
            kind=ExchangeUnavailable,
        ),
    ),
)
