"""What Google's and Fly's machines are told about themselves."""

import json
from typing import Final
from urllib.parse import quote, urlencode

from pullpass.http import Request
from pullpass.identity.effects import Steps
from pullpass.identity.reading import ask_text
from pullpass.identity.source import Wanted

_GOOGLE: Final = "Google's metadata service"
_GOOGLE_HINTS: Final = {
    400: "check service_account and the audience",
    403: "the machine may not ask: let it have a service account and the scope cloud-platform",
    404: "the machine has no such service account: give it one, and check service_account",
}
_FLY: Final = "Fly's machine API"
_FLY_SOCKET: Final = "/.fly/api"


def google(wanted: Wanted) -> Steps[str | None]:
    """Returns the identity token of the machine's service account.

    https://cloud.google.com/compute/docs/instances/verifying-instance-identity
    """
    account = quote(wanted.parameters["service_account"], safe="@")
    query = urlencode({"audience": wanted.audience, "format": "full"})
    at = f"{wanted.parameters['endpoint']}/computeMetadata/v1/instance/service-accounts/{account}"
    request = Request(
        method="GET",
        url=f"{at}/identity?{query}",
        headers={"metadata-flavor": "Google"},
        patient=True,
        link_local=True,
    )
    return (yield from ask_text(request, _GOOGLE, _GOOGLE_HINTS))


def fly(wanted: Wanted) -> Steps[str | None]:
    """Returns the machine's token.

    https://fly.io/docs/security/openid-connect/
    """
    if "FLY_MACHINE_ID" not in wanted.environ:
        return None
    request = Request(
        method="POST",
        url="http://localhost/v1/tokens/oidc",
        headers={"content-type": "application/json"},
        body=json.dumps({"aud": wanted.audience}).encode(),
        socket=wanted.parameters["socket"],
        patient=True,
    )
    return (yield from ask_text(request, _FLY, {}))
