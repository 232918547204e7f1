"""Token exchanges: JFrog's, Docker Hub's, and what RFC 8693 itself says."""

from dataclasses import replace
from typing import Final

from fakes.issued import issued
from fakes.vendors.clouds import TOKEN_EXCHANGE
from fakes.vendors.vendor import FORM, JSON, TOKEN, UNKNOWN, Call, Refusal, Vendor, given
from pullpass.errors import ExchangeUnavailable

_ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"
_ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
_OF_JFROG: Final = given(sub="jfac@01h/users/puller")


def _jfrog_error(status: int, code: str, message: str, says: str) -> Refusal:
    body = {"errors": [{"code": code, "message": message}]}
    return Refusal(status=status, body=body, says=says)


_JFROG: Final = Call(
    url="https://acme.jfrog.io/access/api/v1/oidc/token",
    headers=JSON,
    body={
        "grant_type": TOKEN_EXCHANGE,
        "subject_token_type": _ID_TOKEN,
        "subject_token": TOKEN,
        "provider_name": "strongbox",
    },
    answer={
        "access_token": _OF_JFROG,
        "username": "puller",
        "expires_in": 60,
        "token_type": "Bearer",
        "scope": "applied-permissions/user",
        "issued_token_type": _ACCESS_TOKEN,
    },
)
JFROG: Final = Vendor(
    name="jfrog",
    provider="jfrog",
    registry="acme.jfrog.io",
    parameters={"provider_name": "strongbox"},
    audience="acme.jfrog.io",
    calls=(_JFROG,),
    username="puller",
    password=_OF_JFROG,
    lives=60,
    refusals=(
        _jfrog_error(
            400,
            "BAD_REQUEST",
            "Invalid audience",
            "400 (Invalid audience): leave the parameter audience out",
        ),
        _jfrog_error(400, "BAD_REQUEST", UNKNOWN, "400 (BAD_REQUEST): check project_key and ident"),
        _jfrog_error(
            401, "UNAUTHORIZED", UNKNOWN, "401 (UNAUTHORIZED): check that provider_name is the int"
        ),
        Refusal(
            status=401,
            body={"errors": [{"status": 401, "message": UNKNOWN}]},
            says="401: check that provider_name is the integration's name",
        ),
        _jfrog_error(403, "FORBIDDEN", UNKNOWN, "403 (FORBIDDEN): check that the integration and"),
        _jfrog_error(404, "NOT_FOUND", UNKNOWN, "404 (NOT_FOUND): the registry has no OIDC token"),
    ),
)
_WHOLE: Final = {
    "identity_mapping_name": "puller",
    "project_key": "jfac",
    "provider_type": "GenericOidc",
    "audience": "acme.jfrog.io",
}
JFROG_WHOLE: Final = replace(
    JFROG,
    name="jfrog at another host, with all it takes",
    exchange="https://platform.example.com:8443",
    parameters={"provider_name": "strongbox", **_WHOLE},
    calls=(
        replace(
            _JFROG,
            url="https://platform.example.com:8443/access/api/v1/oidc/token",
            body={**_JFROG.body, **_WHOLE},
            # Without a user name, and for a group, whose name is a path.
            answer={"access_token": given(sub="strongbox/pullers")},
        ),
    ),
    username="strongbox/pullers",
    password=given(sub="strongbox/pullers"),
    lives=3600,
    refusals=(),
)

_OF_HUB: Final = issued("dckr_oat_0123456789")
DOCKER_HUB: Final = Vendor(
    name="dockerhub",
    provider="dockerhub",
    registry="docker.io",
    parameters={
        "connection_id": "77537984-f27a-45c5-9b4c-f20b3f88817e",
        "organization": "acme",
    },
    audience="https://identity.docker.com",
    calls=(
        Call(
            url="https://identity.docker.com/oauth/token",
            headers=FORM,
            body={
                "grant_type": TOKEN_EXCHANGE,
                "subject_token_type": _ID_TOKEN,
                "subject_token": TOKEN,
                "connection_id": "77537984-f27a-45c5-9b4c-f20b3f88817e",
                "expires_in": "21600",
            },
            answer={"access_token": _OF_HUB},
        ),
    ),
    username="acme",
    password=_OF_HUB,
    lives=21600,
    refusals=(
        Refusal(
            status=400,
            body={"message": UNKNOWN},
            says="400: check that connection_id is the connection's UUID, and that expires_in is",
        ),
        Refusal(status=401, says="401: check that the token is GitHub's, which is the only issuer"),
        Refusal(
            status=403,
            body={"message": UNKNOWN},
            says="403: check that the connection is active and that one of its rulesets",
        ),
        Refusal(status=404, says="404: check that connection_id is the connection's UUID"),
        Refusal(
            status=429,
            body={"message": UNKNOWN},
            headers={"retry-after": "30"},
            says="429: Hub takes no more exchanges of this connection for now; try again in 30 sec",
            kind=ExchangeUnavailable,
        ),
        Refusal(
            status=429,
            says="429: Hub takes no more exchanges of this connection for now; try again later",
            kind=ExchangeUnavailable,
        ),
    ),
)


def _oauth(code: str, says: str, status: int = 400) -> Refusal:
    body = {"error": code, "error_description": UNKNOWN, "error_uri": "https://sts.example.com/"}
    return Refusal(status=status, body=body, says=f"{status} ({code}): {says}")


_OF_STS: Final = issued("token-of-the-sts")
RFC8693: Final = Vendor(
    name="rfc8693",
    provider="rfc8693",
    registry="registry.example.com",
    exchange="https://sts.example.com",
    parameters={
        "token_path": "realms/a b/token",
        "requested_token_type": _ACCESS_TOKEN,
        "audience": "a&scope=*",
        "resource": "https://registry.example.com/",
        "scope": "pull push",
        "client_id": "nodes",
        "username": "me",
    },
    audience="registry.example.com",
    calls=(
        Call(
            url="https://sts.example.com/realms/a%20b/token",
            headers=FORM,
            body={
                "grant_type": TOKEN_EXCHANGE,
                "subject_token": TOKEN,
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "requested_token_type": _ACCESS_TOKEN,
                "audience": "a&scope=*",
                "resource": "https://registry.example.com/",
                "scope": "pull push",
                "client_id": "nodes",
            },
            answer={
                "access_token": _OF_STS,
                "issued_token_type": _ACCESS_TOKEN,
                "token_type": "Bearer",
                "expires_in": 300,
            },
        ),
    ),
    username="me",
    password=_OF_STS,
    lives=300,
    refusals=(
        *(
            _oauth(code, "check audience, resource, scope and client_id")
            for code in (
                *("invalid_request", "invalid_grant", "unauthorized_client", "invalid_target"),
                *("unsupported_grant_type", "invalid_scope"),
            )
        ),
        _oauth("invalid_client", "check client_id, and that the server trusts", 401),
        Refusal(status=404, says="404: the server has no token endpoint here"),
    ),
)
