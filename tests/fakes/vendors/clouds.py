"""Microsoft, Google and Yandex: their clouds' tokens, and what their registries make of them."""

from dataclasses import replace
from typing import Final

from fakes.issued import issued
from fakes.vendors.vendor import FORM, JSON, TOKEN, UNKNOWN, Call, Refusal, Vendor, given
from pullpass.errors import ExchangeUnavailable

TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_TENANT: Final = "72f988bf-86f1-41af-91ab-2d7cd011db47"
_CLIENT: Final = "00001111-aaaa-2222-bbbb-3333cccc4444"
_ENTRA: Final = issued("token-of-entra")
_REFRESH: Final = given(3 * 3600, aud="acme.azurecr.io")


def _entra(code: str, says: str, error: str = "invalid_client", status: int = 401) -> Refusal:
    body = {"error": error, "error_description": f"{code}: {UNKNOWN}. Trace ID: 1", "timestamp": ""}
    return Refusal(status=status, body=body, says=f"{status} ({code}): {says}")


ACR: Final = Vendor(
    name="acr",
    provider="acr",
    registry="acme.azurecr.io",
    parameters={"tenant": _TENANT, "client_id": _CLIENT},
    audience="api://AzureADTokenExchange",
    calls=(
        Call(
            url=f"https://login.microsoftonline.com/{_TENANT}/oauth2/v2.0/token",
            headers=FORM,
            body={
                "grant_type": "client_credentials",
                "client_id": _CLIENT,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": TOKEN,
                "scope": "https://containerregistry.azure.net/.default",
            },
            answer={"token_type": "Bearer", "expires_in": 3599, "access_token": _ENTRA},
        ),
        Call(
            url="https://acme.azurecr.io/oauth2/exchange",
            headers=FORM,
            body={
                "grant_type": "access_token",
                "service": "acme.azurecr.io",
                "tenant": _TENANT,
                "access_token": _ENTRA,
            },
            answer={"refresh_token": _REFRESH},
        ),
    ),
    username="00000000-0000-0000-0000-000000000000",
    password=_REFRESH,
    lives=3 * 3600,
    refusals=(
        _entra("AADSTS700211", "no federated credential of client_id has exactly the token's iss"),
        _entra("AADSTS700212", "no federated credential of client_id has exactly the token's aud"),
        _entra("AADSTS700213", "no federated credential of client_id has exactly the token's sub"),
        _entra(
            "AADSTS70021", "no federated credential of client_id has exactly the token's iss, s"
        ),
        _entra("AADSTS700024", "the token is expired or not valid yet: compare the clocks"),
        _entra("AADSTS700016", "the tenant has no application", "unauthorized_client", 400),
        _entra("AADSTS90002", "there is no such tenant", "invalid_request", 400),
        _entra("AADSTS50013", "Entra could not verify the token"),
        _entra("AADSTS501661", "Entra could not read the issuer's documents"),
        _entra("AADSTS5002738", "Entra takes RSA alone: let the issuer sign with an RSA key"),
        _entra("AADSTS500011", "the tenant does not know Azure", "invalid_resource", 400),
        Refusal(
            status=400,
            body={"error": "invalid_request", "error_description": UNKNOWN},
            says="400 (invalid_request): check tenant and client_id, and that a federated",
        ),
        Refusal(status=401, body={"error": UNKNOWN}, says="401: check that a federated credential"),
        Refusal(status=404, says="404: check tenant and authority"),
        Refusal(call=1, status=400, body={}, says="400: check that the registry is its login serv"),
        Refusal(
            call=1,
            status=401,
            body={"errors": [{"code": "UNAUTHORIZED", "message": UNKNOWN}]},
            says="401 (UNAUTHORIZED): give client_id the role AcrPull",
        ),
        Refusal(call=1, status=403, body={}, says="403: give client_id the role AcrPull"),
        Refusal(call=1, status=404, says="404: the registry is not Azure's"),
    ),
)

_POOL: Final = "projects/42/locations/global/workloadIdentityPools/ci/providers/nodes"
_ACCOUNT: Final = "puller@acme.iam.gserviceaccount.com"
_FEDERATED: Final = issued("federated-token")
_OF_ACCOUNT: Final = issued("token-of-account")
_CLOUD: Final = "https://www.googleapis.com/auth/cloud-platform"
_STS: Final = Call(
    url="https://sts.googleapis.com/v1/token",
    headers=FORM,
    body={
        "grant_type": TOKEN_EXCHANGE,
        "audience": f"//iam.googleapis.com/{_POOL}",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": _CLOUD,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "subject_token": TOKEN,
    },
    answer={
        "access_token": _FEDERATED,
        "expires_in": 3599,
        "token_type": "Bearer",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    },
)
_STS_REFUSALS: Final = (
    Refusal(
        status=400,
        body={"error": "invalid_grant", "error_description": UNKNOWN},
        says="400 (invalid_grant): check that the provider has exactly the token's iss",
    ),
    Refusal(
        status=400,
        body={"error": "invalid_target", "error_description": UNKNOWN},
        says="400 (invalid_target): there is no such provider: workload_identity_provider is",
    ),
    Refusal(status=400, says="400: check workload_identity_provider, and that the provider has"),
    Refusal(
        status=403,
        body={"error": {"code": 403, "message": UNKNOWN, "status": "PERMISSION_DENIED"}},
        says="403: check that the provider's attribute condition lets the token in",
    ),
)


def _iam(status: int, code: str, says: str) -> Refusal:
    error = {"code": status, "message": UNKNOWN, "status": code}
    return Refusal(call=1, status=status, body={"error": error}, says=f"{status} ({code}): {says}")


GAR: Final = Vendor(
    name="gar",
    provider="gar",
    registry="europe-west4-docker.pkg.dev",
    parameters={"workload_identity_provider": _POOL},
    audience=f"https://iam.googleapis.com/{_POOL}",
    calls=(_STS,),
    username="oauth2accesstoken",
    password=_FEDERATED,
    lives=3599,
    refusals=_STS_REFUSALS,
)
GAR_ACCOUNT: Final = replace(
    GAR,
    name="gar as a service account",
    parameters={**GAR.parameters, "service_account": _ACCOUNT, "lifetime": "1800"},
    calls=(
        _STS,
        Call(
            url="https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
            f"{_ACCOUNT}:generateAccessToken",
            headers={**JSON, "authorization": f"Bearer {_FEDERATED}"},
            body={"scope": [_CLOUD], "lifetime": "1800s"},
            answer={"accessToken": _OF_ACCOUNT, "expireTime": "2027-01-15T08:30:00.123456789Z"},
        ),
    ),
    password=_OF_ACCOUNT,
    lives=1800.123456,
    refusals=(
        *_STS_REFUSALS,
        _iam(403, "PERMISSION_DENIED", "grant the token's principal roles/iam.workloadIdentity"),
        _iam(404, "NOT_FOUND", "there is no such service account"),
        _iam(400, "INVALID_ARGUMENT", "check lifetime: more than 3600 seconds needs"),
        Refusal(call=1, status=400, says="400: check service_account and lifetime"),
        Refusal(call=1, status=403, says="403: grant the token's principal roles/iam.workloadId"),
        Refusal(call=1, status=404, says="404: there is no such service account"),
        Refusal(
            call=1,
            status=429,
            body={"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}},
            says="429: the exchange cannot serve now; try again later",
            kind=ExchangeUnavailable,
        ),
    ),
)

_IAM: Final = issued("t1.token-of-iam")
_NOT_LINKED: Final = "check that a federation linked to the service account has the token's iss"
YANDEX: Final = Vendor(
    name="yandex",
    provider="yandex",
    registry="cr.yandex",
    parameters={"service_account_id": "ajehr6tv2eoo3isdbv0e"},
    audience="cr.yandex",
    calls=(
        Call(
            url="https://auth.yandex.cloud/oauth/token",
            headers=FORM,
            body={
                "grant_type": TOKEN_EXCHANGE,
                "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "audience": "ajehr6tv2eoo3isdbv0e",
                "subject_token": TOKEN,
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            },
            answer={"access_token": _IAM, "expires_in": 43200, "token_type": "Bearer"},
        ),
    ),
    username="iam",
    password=_IAM,
    lives=43200,
    refusals=(
        Refusal(
            status=400,
            body={"error": "invalid_request", "error_description": UNKNOWN},
            says="400 (invalid_request): check service_account_id, and that a federation",
        ),
        Refusal(status=401, body={"error": UNKNOWN}, says=f"401: {_NOT_LINKED}"),
        Refusal(
            status=403,
            body={"error": "access_denied"},
            says=f"403 (access_denied): {_NOT_LINKED}",
        ),
    ),
)
