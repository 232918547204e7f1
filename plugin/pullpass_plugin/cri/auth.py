"""Which pulls get a credential of ours, and which errors say that it was not taken. Pure.

Runtimes have no status for a refused credential: it comes as UNKNOWN and a text, which quotes the
registry's answer. What runtimes make of each field of AuthConfig was tried: user name and password
are all that containerd and CRI-O both take, and a server address must be a URL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import DecodeError
from grpc import StatusCode

from pullpass.config.model import Config, CriPull, Registry
from pullpass.credential import Credential
from pullpass.errors import CredentialNotFound, InvalidReference
from pullpass.reference import DOCKER_HUB, Reference, parse_reference
from pullpass.resolve.choose import Query, find
from pullpass_plugin._proto.cri_pb2 import AuthConfig, PullImageRequest

UNAVAILABLE: Final = "RegistryUnavailable: "  # the kubelet shows this prefix as the pod's reason
_DOCKER_HUB_HOST: Final = "registry-1.docker.io"  # whom containerd asks for docker.io
_REFUSALS: Final = frozenset(
    {StatusCode.UNKNOWN, StatusCode.UNAUTHENTICATED, StatusCode.PERMISSION_DENIED}
)
# No bare «denied» or «unauthorized»: a disk says the first and a repository can be the second.
_AUTH_FAILURES: Final = (
    "401 unauthorized",
    "403 forbidden",
    "authentication required",
    "authorization failed",
    "authorization token has expired",
    "insufficient_scope",
    "invalid username/password",
    "no basic auth credentials",
    "pull access denied",
    "requested access to the resource is denied",
    "unauthorized: ",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull that gets a credential of ours.

    Attributes:
        request: as it came; it may hold the kubelet's own credential.
        facts: what the kubelet says of the pod, for the subjects of roles.
    """

    request: PullImageRequest = field(repr=False)
    reference: Reference
    registry: Registry
    facts: Mapping[str, str]

    @property
    def options(self) -> CriPull:
        """Returns the registry's settings for the shim."""
        return self.registry.cri


def pull_of(config: Config, raw: bytes) -> Pull | None:
    """Returns the pull that raw asks for, None where it is not ours to authorise.

    Ours is what the configuration speaks of, unless the kubelet brings a credential of its own and
    the registry's ``override`` is off. What cannot be read is the runtime's to refuse.
    """
    try:
        request = PullImageRequest.FromString(raw)
        reference = parse_reference(request.image.image)
        registry, _ = find(
            config, Query(registry=reference.registry, repository=reference.repository)
        )
    except (DecodeError, InvalidReference, CredentialNotFound):
        return None
    if _has_credential(request.auth) and not registry.cri.override:
        return None
    return Pull(request=request, reference=reference, registry=registry, facts=_facts(request))


def with_credential(pull: Pull, credential: Credential) -> bytes:
    """Returns the request of pull with credential, and everything else in it as it came."""
    request = PullImageRequest()
    request.CopyFrom(pull.request)
    request.ClearField("auth")
    request.auth.username = credential.username
    request.auth.password = credential.secret.reveal()
    request.auth.server_address = server_address(pull)
    return request.SerializeToString()


def server_address(pull: Pull) -> str:
    """Returns the one origin that the runtime may show the credential to.

    Without it containerd hands a credential to every mirror that its hosts.toml names.
    """
    if pull.options.server_address:
        return pull.options.server_address
    host = pull.reference.registry
    return f"https://{_DOCKER_HUB_HOST if host == DOCKER_HUB else host}"


def is_auth_failure(pull: Pull, code: StatusCode, text: str) -> bool:
    """Tells whether a runtime's error means that the registry did not take the credential."""
    if code not in _REFUSALS:
        return False
    # The image's own name is quoted too, and may hold any of these words.
    for name in (pull.request.image.image, str(pull.reference)):
        text = text.replace(name, "")
    said = text.lower()
    own = (fragment.lower() for fragment in pull.options.auth_failures)
    return any(fragment in said for fragment in (*_AUTH_FAILURES, *own))


def _has_credential(auth: AuthConfig) -> bool:
    # A kind of credential that is not known here is one too: unknown fields count.
    stated = AuthConfig()
    stated.CopyFrom(auth)
    stated.ClearField("server_address")
    return stated.ByteSize() > 0


def _facts(request: PullImageRequest) -> Mapping[str, str]:
    # Labels and annotations are their author's claims; these three are the API server's.
    pod = request.sandbox_config.metadata
    found = {"k8s.namespace": pod.namespace, "k8s.pod": pod.name, "k8s.uid": pod.uid}
    return {name: value for name, value in found.items() if value}
