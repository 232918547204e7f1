"""AWS: STS' AssumeRoleWithWebIdentity, then GetAuthorizationToken of ECR and ECR Public.

The models of botocore 1.44.5 have the shapes; the signatures below are botocore's own.
"""

from base64 import b64encode
from typing import Any, Final

from fakes.issued import issued
from fakes.vendors.vendor import FORM, NOW, TOKEN, UNKNOWN, Call, Refusal, Vendor
from pullpass.errors import ExchangeUnavailable

ROLE: Final = "arn:aws:iam::123456789012:role/pull"
_KEY: Final = {
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": issued("secret/Access+Key"),
    "SessionToken": issued("session//Token=="),
    "Expiration": "2027-01-15T08:15:00Z",
}
_PASSWORD: Final = issued("pass:word:of:aws")
_PAIR: Final = issued(b64encode(f"AWS:{_PASSWORD}".encode()).decode())


def _role(region: str) -> Call:
    return Call(
        url=f"https://sts.{region}.amazonaws.com/",
        headers={**FORM, "accept": "application/xml"},
        body={
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": ROLE,
            "RoleSessionName": "pullpass",
            "WebIdentityToken": TOKEN,
            "DurationSeconds": "900",
        },
        xml="AssumeRoleWithWebIdentityResponse",
        answer={
            "AssumeRoleWithWebIdentityResult": {"Credentials": _KEY, "Provider": "id.example.com"},
            "ResponseMetadata": {"RequestId": "1"},
        },
    )


def _token(service: str, region: str, target: str, signature: str, data: Any) -> Call:
    signed = "accept;content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
    return Call(
        url=f"https://api.{service}.{region}.amazonaws.com/",
        headers={
            "accept": "application/json",
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"{target}.GetAuthorizationToken",
            "x-amz-date": "20270115T080000Z",
            "x-amz-security-token": _KEY["SessionToken"],
            "authorization": f"AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20270115/{region}/{service}"
            f"/aws4_request, SignedHeaders={signed}, Signature={signature}",
        },
        answer={"authorizationData": data},
    )


def _sts(code: str, says: str, status: int = 400) -> Refusal:
    error = {"Type": "Sender", "Code": code, "Message": UNKNOWN}
    body = {"Error": error, "RequestId": "1"}
    return Refusal(status=status, body=body, says=f"{status} ({code}): {says}")


def _ecr(code: str, says: str) -> Refusal:
    body = {"__type": f"com.amazonaws.ecr#{code}", "message": UNKNOWN}
    return Refusal(call=1, status=400, body=body, says=f"400 ({code}): {says}")


_REFUSALS: Final = (
    _sts("InvalidIdentityToken", "AWS could not verify the token: check that IAM has"),
    _sts("ExpiredTokenException", "the token is expired: compare the clocks"),
    _sts("IDPRejectedClaim", "the identity provider in IAM refuses the token", 403),
    _sts("IDPCommunicationError", "AWS could not reach the issuer's documents"),
    _sts("AccessDenied", "the role does not let the token in: its trust policy must", 403),
    _sts("ValidationError", "check role_arn, and session_name"),
    _sts("MalformedPolicyDocument", "check role_arn"),
    _sts("RegionDisabledException", "STS is not active in", 403),
    Refusal(status=418, body={"Error": {"Code": UNKNOWN}}, says="418: check the entry's"),
    Refusal(
        status=503,
        body={"Error": {"Code": "ServiceUnavailable"}},
        headers={"retry-after": "120"},
        says="503: the exchange cannot serve now; try again in 120 seconds",
        kind=ExchangeUnavailable,
    ),
    _ecr("AccessDeniedException", "allow the role ecr"),
    _ecr("InvalidSignatureException", "AWS does not take the signature: compare the clocks"),
    _ecr("RequestExpired", "AWS finds the request too old"),
    _ecr("UnrecognizedClientException", "the role's key is not for this"),
    Refusal(call=1, status=400, says="400: check "),
    Refusal(call=1, status=403, says="403: check "),
    Refusal(
        call=1,
        status=500,
        body={"__type": "ServerException"},
        says="500: the exchange cannot serve now; try again later",
        kind=ExchangeUnavailable,
    ),
)

ECR: Final = Vendor(
    name="ecr",
    provider="ecr",
    registry="123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    parameters={"role_arn": ROLE},
    audience="sts.amazonaws.com",
    calls=(
        _role("eu-central-1"),
        _token(
            "ecr",
            "eu-central-1",
            "AmazonEC2ContainerRegistry_V20150921",
            "e42952732ffc65e8189830109de53a934e5042db0bc14c577bf0463c0d17c4b8",
            [
                {
                    "authorizationToken": _PAIR,
                    "expiresAt": NOW + 43200.5,
                    "proxyEndpoint": "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com",
                }
            ],
        ),
    ),
    username="AWS",
    password=_PASSWORD,
    lives=43200.5,
    refusals=_REFUSALS,
)
ECR_PUBLIC: Final = Vendor(
    name="ecr-public",
    provider="ecr-public",
    registry="public.ecr.aws",
    parameters={"role_arn": ROLE},
    audience="sts.amazonaws.com",
    calls=(
        _role("us-east-1"),
        _token(
            "ecr-public",
            "us-east-1",
            "SpencerFrontendService",
            "6c55bcc884954e9f8445f44cfa17ddb0a094d73af9c465d9e495bb375fa3ddaa",
            {"authorizationToken": _PAIR, "expiresAt": NOW + 43200.5},
        ),
    ),
    username="AWS",
    password=_PASSWORD,
    lives=43200.5,
    refusals=_REFUSALS,
)
