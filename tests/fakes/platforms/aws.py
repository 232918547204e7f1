"""AWS: STS' GetWebIdentityToken, and who hands out credentials to containers and machines.

The shapes are botocore's (1.44); what the metadata services want is in AWS' SDK reference.
"""

from pathlib import Path
from typing import Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from fakes.issued import issued
from fakes.platforms.platform import Endpoint, Platform, Token, is_asked
from fakes.platforms.web import NO, form_of, says, text
from pullpass.http import Request, Response

STS: Final = "https://sts.eu-central-1.amazonaws.com/"
KEY_ID: Final = "ASIAEXAMPLE"
SECRET: Final = issued("secret/Access+Key/of/aws")
SESSION: Final = issued("session//Token/of/aws==")
IMDS: Final = "http://169.254.169.254/latest"
IMDS_SESSION: Final = issued("session-of-the-metadata")
CONTAINER: Final = "http://169.254.170.2"
CONTAINER_PROOF: Final = issued("token-of-the-container")
DOCUMENT: Final = {
    "Code": "Success",
    "AccessKeyId": KEY_ID,
    "SecretAccessKey": SECRET,
    "Token": SESSION,
    "Expiration": "2027-01-15T14:00:00Z",
}


def answer(request: Request, gives: Token) -> Response:
    """Answers as STS and both metadata services do."""
    if request.url == STS:
        return _sts(request, gives)
    if request.url.startswith(CONTAINER):
        good = is_asked(request, "GET", f"{CONTAINER}/v2/1", authorization=CONTAINER_PROOF)
        return says(DOCUMENT) if good else NO
    return _metadata(request)


def sts_error(code: str, status: int = 400) -> Response:
    """Returns a refusal of STS."""
    body = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>hunter2</Message></Error>"
    return _xml(f"<ErrorResponse>{body}<RequestId>1</RequestId></ErrorResponse>", status)


def _sts(request: Request, gives: Token) -> Response:
    form = form_of(request)
    wanted = {
        "Action": "GetWebIdentityToken",
        "Version": "2011-06-15",
        "SigningAlgorithm": "RS256",
        "DurationSeconds": "300",
    }
    if request.method != "POST" or not wanted.items() <= form.items() or not _is_signed(request):
        return NO
    inner = f"<WebIdentityToken>{gives(form['Audience.member.1'])}</WebIdentityToken>"
    result = f"<GetWebIdentityTokenResult>{inner}</GetWebIdentityTokenResult>"
    name = "GetWebIdentityTokenResponse"
    return _xml(f'<{name} xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{result}</{name}>')


def _is_signed(request: Request) -> bool:
    """Tells whether botocore would sign request in the same way."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    given = headers.pop("authorization")
    for name in ("user-agent", "accept-encoding", "host", "connection", "content-length"):
        headers.pop(name, None)
    asked = AWSRequest(method="POST", url=request.url, headers=headers, data=request.body)
    asked.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY_ID, SECRET, SESSION), "sts", "eu-central-1")
    canonical = signer.canonical_request(asked)
    signature = signer.signature(signer.string_to_sign(asked, canonical), asked)
    return given.endswith(f"Signature={signature}")


def _metadata(request: Request) -> Response:
    if is_asked(request, "PUT", f"{IMDS}/api/token", x_aws_ec2_metadata_token_ttl_seconds="60"):
        return text(IMDS_SESSION)
    pages = {
        f"{IMDS}/meta-data/iam/security-credentials/": text("pull-role"),
        f"{IMDS}/meta-data/iam/security-credentials/pull-role": says(DOCUMENT),
        f"{IMDS}/meta-data/placement/region": text("eu-central-1"),
    }
    good = is_asked(request, "GET", request.url, x_aws_ec2_metadata_token=IMDS_SESSION)
    return pages.get(request.url, Response(status=404)) if good else Response(status=401)


def _xml(body: str, status: int = 200) -> Response:
    return Response(status=status, headers={"content-type": "text/xml"}, body=body.encode())


def environment(_: Path) -> Platform:
    """A process with credentials in its environment."""
    environ = {
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": SESSION,
        "AWS_REGION": "eu-central-1",
    }
    return Platform(source="aws", environ=environ, endpoint=Endpoint(answer=answer))


def container(_: Path) -> Platform:
    """A task of ECS."""
    environ = {
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/1",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": CONTAINER_PROOF,
    }
    told = {"region": "eu-central-1"}
    return Platform(source="aws", told=told, environ=environ, endpoint=Endpoint(answer=answer))


def pod(directory: Path) -> Platform:
    """A pod of EKS with an identity of its own."""
    (directory / "pod").write_text(CONTAINER_PROOF)
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{CONTAINER}/v2/1",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(directory / "pod"),
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    return Platform(source="aws", environ=environ, endpoint=Endpoint(answer=answer))


def machine(_: Path) -> Platform:
    """A machine of EC2 with a role."""
    told = {"credentials": "instance"}
    return Platform(source="aws", told=told, endpoint=Endpoint(answer=answer))
