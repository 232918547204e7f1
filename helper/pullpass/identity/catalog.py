"""All sources by their names, and the token that one gives."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from pullpass.config.identities import AUTO, ORDER
from pullpass.config.model import Identity
from pullpass.errors import (
    IdentityError,
    InvalidToken,
    KeyStoreError,
    MalformedInput,
    TransportError,
)
from pullpass.identity.effects import Steps
from pullpass.identity.source import Fetch, Source, Wanted
from pullpass.identity.sources import (
    actions,
    aws,
    azure,
    ci,
    generic,
    kubernetes,
    machines,
    openbao,
    remote,
    spiffe,
)
from pullpass.identity.token import SubjectToken, checked, read_jwt
from pullpass.secret import Secret

_NO_FACTS: Final[Mapping[str, str]] = MappingProxyType({})


def _never(_: Mapping[str, Any]) -> bool:
    return False


def _without(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    """Tells that the process decides unless the configuration says all of names."""
    return lambda told: not all(told[name] for name in names)


def _job(fetch: Fetch, what: str) -> Source:
    """Returns a source that is given to one job or machine, and to no other."""
    return Source(fetch=fetch, elsewhere=f"this is no {what}: name another identity here")


_OPENBAO: Final = Source(
    fetch=openbao.identity_token,
    elsewhere="neither BAO_ADDR nor VAULT_ADDR is set: set address",
    of_caller=_without("address", "token_file"),
)

SOURCES: Final[Mapping[str, Source]] = {
    "github-actions": _job(actions.github, "job of GitHub Actions"),
    "forgejo": _job(actions.forgejo, "job of Forgejo Actions"),
    "gitea": _job(actions.gitea, "job of Gitea Actions"),
    "gitlab": _job(ci.gitlab, "job of GitLab CI"),
    "circleci": _job(ci.circleci, "job of CircleCI"),
    "buildkite": _job(ci.buildkite, "job of Buildkite"),
    "bitbucket": _job(ci.bitbucket, "step of Bitbucket Pipelines"),
    "azure-pipelines": _job(azure.pipelines, "job of Azure Pipelines"),
    "terraform-cloud": _job(ci.terraform_cloud, "run of HCP Terraform"),
    "fly": _job(machines.fly, "machine of Fly"),
    "kubernetes": Source(
        fetch=kubernetes.projected,
        elsewhere="there is no token at path: let the pod's volumes project one there",
        of_caller=_never,
    ),
    "kubernetes-token-request": Source(
        fetch=kubernetes.token_request,
        elsewhere="KUBERNETES_SERVICE_HOST is not set, as it is in a pod: set server",
        of_caller=_without("server"),
    ),
    "spiffe": Source(
        fetch=spiffe.workload_api,
        elsewhere="SPIFFE_ENDPOINT_SOCKET is not set: set socket",
        of_caller=_without("socket"),
    ),
    "spire-agent": Source(fetch=spiffe.spire_agent),
    "openbao": _OPENBAO,
    "vault": _OPENBAO,
    "aws": Source(
        fetch=aws.web_identity,
        elsewhere="there are no credentials of AWS: set AWS_ACCESS_KEY_ID, or run it in AWS",
        of_caller=lambda told: told["credentials"] != "instance" or not told["region"],
    ),
    "gcp": Source(fetch=machines.google, of_caller=_never),
    "azure": Source(fetch=azure.machine, of_caller=_never),
    "remote": Source(
        fetch=remote.central,
        of_caller=lambda told: bool(told["bearer"]) and depends(told["bearer"]),
    ),
    "env": Source(fetch=generic.env, elsewhere="the variable is not set, or empty: set it"),
    "file": Source(
        fetch=generic.file,
        elsewhere="there is no file at path: let whoever gives the token write it there",
        of_caller=_never,
    ),
    "exec": Source(fetch=generic.command),
    "http": Source(fetch=generic.request, of_caller=lambda told: bool(told["bearer_variable"])),
}


def depends(identity: Identity) -> bool:
    """Tells whether what identity gives depends on the process that asks for it."""
    return identity.source == AUTO or SOURCES[identity.source].of_caller(identity.parameters)


def fetch(
    identity: Identity,
    audience: str,
    environ: Mapping[str, str],
    now: Callable[[], float],
    facts: Mapping[str, str] = _NO_FACTS,
) -> Steps[SubjectToken]:
    """Returns the token that identity gives, once it was seen to be good and for audience.

    Args:
        identity: which.
        audience: whom the token is to be for.
        environ: the environment of whoever asks.
        now: Unix seconds.
        facts: what is known of whoever asks.

    Raises:
        IdentityError: if there is none.
        ConfigError: if what it needs is not installed.
    """

    def show(other: Identity, whom: str) -> Steps[SubjectToken]:
        return fetch(other, whom, environ, now, facts)

    wanted = Wanted(
        audience=audience,
        parameters=identity.parameters,
        environ=environ,
        now=now,
        facts=facts,
        show=show,
    )
    if identity.source == AUTO:
        return (yield from _first(identity, wanted))
    token = yield from _ask(identity.source, identity.name, wanted)
    if token is None:
        elsewhere = SOURCES[identity.source].elsewhere
        raise IdentityError(f"{identity.name}: {elsewhere}")
    return token


def _first(identity: Identity, wanted: Wanted) -> Steps[SubjectToken]:
    for name in ORDER:
        token = yield from _ask(name, name, replace(wanted, parameters=identity.parameters[name]))
        if token is not None:
            return token
    raise IdentityError(
        f"{identity.name}: this is none of {', '.join(ORDER)}: name the identity of this host"
    )


def _ask(source: str, name: str, wanted: Wanted) -> Steps[SubjectToken | None]:
    try:
        token = yield from SOURCES[source].fetch(wanted)
        if token is None:
            return None
        if not wanted.parameters.get("jwt", True):
            return SubjectToken(token=Secret(token), source=source)
        audience = wanted.parameters.get("audience") or wanted.audience
        return checked(read_jwt(token, source), audience, wanted.now())
    except InvalidToken as error:
        hint = "check that the platform gives a token here, and nothing else"
        raise IdentityError(f"{name}: {error}; {hint}") from error
    except (IdentityError, KeyStoreError, MalformedInput, TransportError) as error:
        raise IdentityError(f"{name}: {error}") from error
