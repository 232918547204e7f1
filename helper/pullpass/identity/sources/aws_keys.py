"""By which credentials of AWS requests are signed: the environment's, a container's, a machine's.

https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from pullpass.errors import IdentityError
from pullpass.http import Request
from pullpass.identity.effects import Steps, read_file
from pullpass.identity.reading import ask_text, read_json, text_at
from pullpass.identity.source import Wanted
from pullpass.origin import is_link_local, is_loopback
from pullpass.secret import Secret

_CONTAINER: Final = "http://169.254.170.2"
_CONTAINER_SERVICE: Final = "AWS' container credentials"
_MACHINE_SERVICE: Final = "AWS' metadata service"
_SESSION: Final = "60"  # seconds; for the requests of one pull
_HINTS: Final = {
    403: "the metadata service is closed to this host: let HttpEndpoint be enabled, and HttpTokens"
    " be required or optional",
    404: "the machine has no role: give it an instance profile",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Credentials of AWS."""

    key_id: str = field(repr=False)
    secret_key: Secret
    session_token: Secret | None


def keys(wanted: Wanted) -> Steps[Keys | None]:
    """Returns the credentials that the parameter ``credentials`` names, by default the first."""
    only = wanted.parameters["credentials"]
    for name, find in _PLACES.items():
        if only in {name, "any"}:
            found = yield from find(wanted)
            if found is not None:
                return found
    return None


def region(wanted: Wanted) -> Steps[str]:
    """Returns the region whose STS is asked: as configured, by environment, or the machine's.

    Raises:
        IdentityError: if it is no region.
    """
    environ = wanted.environ
    found = (
        wanted.parameters["region"]
        or environ.get("AWS_REGION")
        or environ.get("AWS_DEFAULT_REGION")
        or (yield from _region_of_machine(wanted))
    )
    # It becomes a label of the host that is shown a signature.
    if not found.replace("-", "").isalnum() or not found.isascii():
        raise IdentityError("the region of AWS is none: set region, such as eu-central-1")
    return found


def _region_of_machine(wanted: Wanted) -> Steps[str]:
    session = yield from _session(wanted)
    return (yield from _metadata(wanted, session, "placement/region"))


def _environment(wanted: Wanted) -> Steps[Keys | None]:
    yield from ()
    environ = wanted.environ
    key_id, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not key_id and not secret:
        return None
    if not key_id or not secret:
        raise IdentityError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both")
    session = environ.get("AWS_SESSION_TOKEN")
    return Keys(
        key_id=key_id,
        secret_key=Secret(secret),
        session_token=Secret(session) if session else None,
    )


def _container(wanted: Wanted) -> Steps[Keys | None]:
    environ = wanted.environ
    relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")
    url = (
        f"{_CONTAINER}{relative}" if relative else environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    )
    if not url:
        return None
    _check_container(url)
    path = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    proof = (
        (yield from read_file(path)) if path else environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    )
    request = Request(
        method="GET",
        url=url,
        headers={"authorization": proof} if proof else {},
        patient=True,
        link_local=True,
    )
    text = yield from ask_text(request, _CONTAINER_SERVICE, {})
    return _keys(read_json(text, _CONTAINER_SERVICE), _CONTAINER_SERVICE)


def _check_container(url: str) -> None:
    """Holds that url, which the environment names, is near: it is shown a token."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not is_loopback(host) and not is_link_local(host):
        raise IdentityError(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI leads elsewhere than to this machine: unset it"
        )


def _machine(wanted: Wanted) -> Steps[Keys | None]:
    session = yield from _session(wanted)
    role = yield from _metadata(wanted, session, "iam/security-credentials/")
    name = quote(role.partition("\n")[0].strip(), safe="")
    text = yield from _metadata(wanted, session, f"iam/security-credentials/{name}")
    return _keys(read_json(text, _MACHINE_SERVICE), _MACHINE_SERVICE)


def _session(wanted: Wanted) -> Steps[str]:
    """Returns what IMDSv2 wants to be shown."""
    request = Request(
        method="PUT",
        url=f"{wanted.parameters['endpoint']}/latest/api/token",
        headers={"x-aws-ec2-metadata-token-ttl-seconds": _SESSION},
        link_local=True,
    )
    return (yield from ask_text(request, _MACHINE_SERVICE, _HINTS))


def _metadata(wanted: Wanted, session: str, path: str) -> Steps[str]:
    request = Request(
        method="GET",
        url=f"{wanted.parameters['endpoint']}/latest/meta-data/{path}",
        headers={"x-aws-ec2-metadata-token": session},
        link_local=True,
    )
    return (yield from ask_text(request, _MACHINE_SERVICE, _HINTS))


def _keys(document: Any, who: str) -> Keys:
    return Keys(
        key_id=text_at(document, "AccessKeyId", who),
        secret_key=Secret(text_at(document, "SecretAccessKey", who)),
        session_token=Secret(text_at(document, "Token", who)),
    )


_PLACES: Final = {"environment": _environment, "container": _container, "instance": _machine}
