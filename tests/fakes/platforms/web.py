"""The platforms that are asked over HTTP."""

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from fakes.issued import issued
from fakes.platforms.platform import (
    Endpoint,
    Platform,
    Token,
    is_asked,
    query_of,
)
from pullpass.http import Request, Response

NO: Final = Response(status=418)
BEARER: Final = issued("request-token-of-the-job")
ACTIONS: Final = "https://pipelines.actions.example/42/idtoken"
VARIABLES: Final = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": f"{ACTIONS}?placeholder=true",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
}
AZURE: Final = (
    "https://dev.azure.com/acme/1/_apis/distributedtask/hubs/build/plans/2/jobs/3/oidctoken"
)
CONNECTION: Final = "5d3a5a6e-0000-4f3b-a2f6-d09cbf25b21f"
METADATA: Final = "http://169.254.169.254"
BAO: Final = "https://bao.example.com:8200"
CLIENT_TOKEN: Final = issued("s.client-token-of-bao")
POD_TOKEN: Final = issued("token-of-the-pods-account")
KUBERNETES: Final = "https://10.96.0.1:6443/api/v1/namespaces/shop/serviceaccounts/puller/token"


def says(value: Any, status: int = 200) -> Response:
    """Returns an answer in JSON."""
    kind = {"content-type": "application/json"}
    return Response(status=status, headers=kind, body=json.dumps(value).encode())


def text(value: str) -> Response:
    """Returns an answer in plain text."""
    return Response(status=200, headers={"content-type": "text/plain"}, body=value.encode())


def _actions(request: Request, gives: Token) -> Response:
    accept = "application/json; api-version=2.0"
    if not is_asked(request, "GET", ACTIONS, authorization=f"Bearer {BEARER}", accept=accept):
        return NO
    query = query_of(request)
    return says({"count": 1, "value": gives(query["audience"])}) if len(query) == 2 else NO


def github(_: Path) -> Platform:
    """A job at GitHub that may ask for tokens."""
    environ = {"GITHUB_ACTIONS": "true", "CI": "true", **VARIABLES}
    return Platform(source="github-actions", environ=environ, endpoint=Endpoint(answer=_actions))


def forgejo(_: Path) -> Platform:
    """A job at a Forgejo, which sets the variables of its ancestors too."""
    forge = {"FORGEJO_ACTIONS": "true", "GITEA_ACTIONS": "true", "GITHUB_ACTIONS": "true"}
    return Platform(
        source="forgejo", environ={**forge, **VARIABLES}, endpoint=Endpoint(answer=_actions)
    )


def gitea(_: Path) -> Platform:
    """A job at a Gitea."""
    forge = {"GITEA_ACTIONS": "true", "GITHUB_ACTIONS": "true"}
    return Platform(
        source="gitea", environ={**forge, **VARIABLES}, endpoint=Endpoint(answer=_actions)
    )


def azure_pipelines(_: Path) -> Platform:
    """A job of Azure Pipelines, whose audience is fixed: here it is the registry's."""

    def answer(request: Request, gives: Token) -> Response:
        wanted = {"api-version": "7.1", "serviceConnectionId": CONNECTION}
        proof = {"authorization": f"Bearer {BEARER}", "x_tfs_fedauthredirect": "Suppress"}
        if not is_asked(request, "POST", AZURE, **proof) or query_of(request) != wanted:
            return NO
        return says({"oidcToken": gives("registry.example.com")})

    return Platform(
        source="azure-pipelines",
        told={"service_connection": CONNECTION},
        environ={
            "TF_BUILD": "True",
            "SYSTEM_OIDCREQUESTURI": AZURE,
            "SYSTEM_ACCESSTOKEN": BEARER,
        },
        endpoint=Endpoint(answer=answer),
    )


def azure(_: Path) -> Platform:
    """A machine at Azure with a managed identity."""

    def answer(request: Request, gives: Token) -> Response:
        query = query_of(request)
        url = f"{METADATA}/metadata/identity/oauth2/token"
        wanted = {"api-version": "2018-02-01", "client_id": "c0ffee"}
        if (
            not is_asked(request, "GET", url, metadata="true")
            or not wanted.items() <= query.items()
        ):
            return NO
        given = {"expires_in": "3599", "token_type": "Bearer", "resource": query["resource"]}
        return says({"access_token": gives(query["resource"]), **given})

    told = {"client_id": "c0ffee"}
    return Platform(source="azure", told=told, endpoint=Endpoint(answer=answer))


def gcp(_: Path) -> Platform:
    """A machine at Google with a service account."""

    def answer(request: Request, gives: Token) -> Response:
        account = "instance/service-accounts/pull@acme.example"
        url = f"{METADATA}/computeMetadata/v1/{account}/identity"
        query = query_of(request)
        good = is_asked(request, "GET", url, metadata_flavor="Google")
        return text(gives(query["audience"])) if good and query["format"] == "full" else NO

    told = {"service_account": "pull@acme.example"}
    return Platform(source="gcp", told=told, endpoint=Endpoint(answer=answer))


def fly(directory: Path) -> Platform:
    """A machine at Fly."""

    def answer(request: Request, gives: Token) -> Response:
        good = is_asked(
            request, "POST", "http://localhost/v1/tokens/oidc", content_type="application/json"
        )
        return text(gives(json.loads(request.body)["aud"])) if good else NO

    return Platform(
        source="fly",
        told={"socket": str(directory / "api")},
        environ={"FLY_MACHINE_ID": "148ed", "FLY_APP_NAME": "shop"},
        endpoint=Endpoint(answer=answer),
    )


def token_request(directory: Path) -> Platform:
    """A pod whose service account may ask for tokens of another one."""
    for name, content in {"token": POD_TOKEN, "namespace": "shop", "ca.crt": ""}.items():
        (directory / name).write_text(content)

    def answer(request: Request, gives: Token) -> Response:
        if not is_asked(request, "POST", KUBERNETES, authorization=f"Bearer {POD_TOKEN}"):
            return NO
        asked = json.loads(request.body)
        kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        (audience,) = asked["spec"]["audiences"]
        if not kind.items() <= asked.items() or asked["spec"]["expirationSeconds"] != 600:
            return NO
        status = {"token": gives(audience), "expirationTimestamp": "2027-01-15T08:10:00Z"}
        return says({**asked, "status": status}, 201)

    return Platform(
        source="kubernetes-token-request",
        told={"service_account": "puller", "directory": str(directory)},
        environ={"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "6443"},
        endpoint=Endpoint(answer=answer),
    )


def openbao(_: Path) -> Platform:
    """An OpenBao, for whoever has logged in there."""

    def answer(request: Request, gives: Token) -> Response:
        proof = {"x_vault_token": CLIENT_TOKEN, "x_vault_namespace": "team"}
        if not is_asked(request, "GET", f"{BAO}/v1/identity/oidc/token/pull", **proof):
            return NO
        return says({"data": {"token": gives("registry.example.com"), "ttl": 300}, "auth": None})

    return Platform(
        source="openbao",
        told={"role": "pull", "namespace": "team"},
        environ={"BAO_ADDR": f"{BAO}/", "BAO_TOKEN": CLIENT_TOKEN},
        endpoint=Endpoint(answer=answer),
    )


def vault(directory: Path) -> Platform:
    """The same under the names of its ancestor."""
    found = openbao(directory)
    found.source = "vault"
    found.environ = {"VAULT_ADDR": BAO, "VAULT_TOKEN": CLIENT_TOKEN}
    return found


def http(directory: Path) -> Platform:
    """Somebody's own endpoint."""
    (directory / "bearer").write_text(f"{BEARER}\n")

    def answer(request: Request, gives: Token) -> Response:
        url = "https://broker.example.com/v1/token"
        proof = {"authorization": f"Bearer {BEARER}", "x_kind": "jwt"}
        if not is_asked(request, "POST", url, **proof):
            return NO
        audience = json.loads(request.body)["aud"]
        return (
            says({"data": [{"token": gives(audience)}]}) if query_of(request) == {"v": "1"} else NO
        )

    return Platform(
        source="http",
        told={
            "url": "https://broker.example.com/v1/token",
            "method": "POST",
            "query": {"v": "1"},
            "headers": {"X-Kind": "jwt"},
            "fields": {"aud": "{audience}"},
            "bearer_file": str(directory / "bearer"),
            "out": "data.token",
        },
        endpoint=Endpoint(answer=answer),
    )


def form_of(request: Request) -> dict[str, str]:
    """Returns the form that request sends."""
    return dict(parse_qsl(request.body.decode(), strict_parsing=True))


def remote(directory: Path) -> Platform:
    """A pullpass issuer on another host, which believes a token of this one."""
    (directory / "proof").write_text(BEARER)
    url = "https://id.example.com/fleet"

    def answer(request: Request, gives: Token) -> Response:
        if not is_asked(
            request, "POST", f"{url}/roles/pull/mint", authorization=f"Bearer {BEARER}"
        ):
            return NO
        (audience,) = json.loads(request.body)["audiences"]
        return says({"jwt": gives(audience)})

    told = {"issuer": url, "role": "pull", "token_file": str(directory / "proof")}
    return Platform(source="remote", told=told, endpoint=Endpoint(answer=answer))
