"""Service accounts of Kubernetes: the token that is projected into a pod, or one asked for."""

import json
from typing import Final
from urllib.parse import quote

from pullpass.errors import IdentityError
from pullpass.http import Request
from pullpass.identity.effects import Steps, read_file
from pullpass.identity.reading import ask_json
from pullpass.identity.source import Wanted

_SERVER: Final = "the API server"


def projected(wanted: Wanted) -> Steps[str | None]:
    """Returns the projected token as it is now: the kubelet renews it.

    https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
    """
    return (yield from read_file(wanted.parameters["path"]))


def token_request(wanted: Wanted) -> Steps[str | None]:
    """Returns a token that the API server makes for the audience.

    https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
    """
    told = wanted.parameters
    server = told["server"] or _in_cluster(wanted)
    if not server:
        return None
    namespace = told["namespace"] or (yield from _of_pod(wanted, "namespace"))
    bearer = yield from _of_pod(wanted, "token")
    authorities = yield from read_file(f"{told['directory']}/ca.crt")
    account = told["service_account"]
    path = f"namespaces/{quote(namespace, safe='')}/serviceaccounts/{quote(account, safe='')}"
    spec = {"audiences": [wanted.audience], "expirationSeconds": told["lifetime"]}
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    request = Request(
        method="POST",
        url=f"{server}/api/v1/{path}/token",
        headers={"authorization": f"Bearer {bearer}", "content-type": "application/json"},
        body=json.dumps({**kind, "spec": spec}).encode(),
        authorities=authorities or "",
        patient=True,
    )
    return (yield from ask_json(request, _SERVER, _hints(namespace, account), "status.token"))


def _in_cluster(wanted: Wanted) -> str:
    host = wanted.environ.get("KUBERNETES_SERVICE_HOST", "")
    port = wanted.environ.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://{f'[{host}]' if ':' in host else host}:{port}" if host else ""


def _of_pod(wanted: Wanted, name: str) -> Steps[str]:
    path = f"{wanted.parameters['directory']}/{name}"
    found = yield from read_file(path)
    if not found:
        raise IdentityError(
            f"{path} is missing or empty: let the pod have a service account's token there"
        )
    return found


def _hints(namespace: str, account: str) -> dict[int, str]:
    return {
        400: "check lifetime, which the API server may hold to less",
        401: "it does not believe the pod's own token: check directory",
        403: f"let the pod's service account create serviceaccounts/token for {account} in"
        f" {namespace}",
        404: f"there is no service account {account} in {namespace}",
        422: "check lifetime, which is 600s at least",
    }
