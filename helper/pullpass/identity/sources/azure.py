"""Azure Pipelines, and the machines of Azure."""

from typing import Final
from urllib.parse import urlencode

from pullpass.errors import IdentityError
from pullpass.http import Request
from pullpass.identity.effects import Steps
from pullpass.identity.reading import ask_json
from pullpass.identity.source import Wanted

_PIPELINES: Final = "the pipeline's token endpoint"
_PIPELINES_HINTS: Final = {
    400: "check service_connection, the service connection's identifier",
    401: "SYSTEM_ACCESSTOKEN is not good, or not any more: let the job that runs ask itself",
    403: "the pipeline may not use the service connection: authorize it there",
    404: "check service_connection, the service connection's identifier",
}
_IMDS: Final = "Azure's metadata service"
_IMDS_HINTS: Final = {
    400: "the machine has no such managed identity: assign one, and check client_id and resource",
    403: "the machine may not have this token: check its managed identity",
    404: "the identity is being prepared: try again in a minute",
    410: "the metadata service is being renewed: try again in 70 seconds",
}


def pipelines(wanted: Wanted) -> Steps[str | None]:
    """Returns the token of a job, by default that of the pipeline itself.

    https://learn.microsoft.com/en-us/rest/api/azure/devops/distributedtask/oidctoken/create
    """
    environ = wanted.environ
    if "TF_BUILD" not in environ:
        return None
    url, bearer = environ.get("SYSTEM_OIDCREQUESTURI"), environ.get("SYSTEM_ACCESSTOKEN")
    if not url or not bearer:
        raise IdentityError(
            "the job is not told its tokens: map «SYSTEM_ACCESSTOKEN: $(System.AccessToken)» under"
            " «env:» of the step; SYSTEM_OIDCREQUESTURI is there by itself"
        )
    query = {"api-version": "7.1"}
    if connection := wanted.parameters["service_connection"]:
        query["serviceConnectionId"] = connection
    request = Request(
        method="POST",
        url=f"{url}?{urlencode(query)}",
        headers={
            "authorization": f"Bearer {bearer}",
            "content-type": "application/json",
            "x-tfs-fedauthredirect": "Suppress",  # a sign-in page would come otherwise
        },
        patient=True,
    )
    return (yield from ask_json(request, _PIPELINES, _PIPELINES_HINTS, "oidcToken"))


def machine(wanted: Wanted) -> Steps[str | None]:
    """Returns the managed identity's token for a resource.

    https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
    """
    query = {
        "api-version": "2018-02-01",
        "resource": wanted.parameters["resource"] or wanted.audience,
    }
    if client := wanted.parameters["client_id"]:
        query["client_id"] = client
    request = Request(
        method="GET",
        url=f"{wanted.parameters['endpoint']}/metadata/identity/oauth2/token?{urlencode(query)}",
        headers={"metadata": "true"},
        patient=True,
        link_local=True,
    )
    return (yield from ask_json(request, _IMDS, _IMDS_HINTS, "access_token"))
